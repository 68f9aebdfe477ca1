"""Where the time of a call went, as the value of a header."""

from __future__ import annotations

import llmspan


def test_a_record_as_server_timing() -> None:
    record = llmspan.Record.from_json(
        '{"model":"m","outcome":"cancelled","duration_ns":1100000000,"request_setup_ns":560000000,"retry_count":2,'
        '"retry_actual_delay_ns":500000000,"ttft_ns":200125999,"sampling_ns":299874001,"tail_ns":40000000}'
    )
    assert record.server_timing() == (
        'total;dur=1100;desc="cancelled", setup;dur=560, retry;dur=500;desc="2 retries", '
        'ttft;dur=200.125;desc="time to first token", sampling;dur=299.874, tail;dur=40'
    )


def test_what_is_absent_has_no_metric() -> None:
    record = llmspan.Record.from_json('{"call":"1","duration_ns":2000000}')
    assert record.server_timing() == 'total;dur=2;desc="success"'
