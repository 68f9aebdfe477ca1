"""How each SDK is asked for a stream and for a whole answer, its defaults left as they are where that is possible."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

PROMPT = "Say hello."


@dataclass(frozen=True)
class Options:
    """What some tests ask of a client. SDKs that cannot do it leave it out."""

    retries: int = 0
    timeout: float | None = None
    http_client: Any = None


@dataclass(frozen=True)
class Client:
    """One way of asking an SDK."""

    name: str
    package: str
    """What it needs to be imported."""
    http: str
    """The library that it sends with."""
    provider: str | None
    finish: str
    """Finish reason of a complete answer."""
    stream: Callable[[str, Options], Any]
    """Gives something to iterate over."""
    whole: Callable[[str, Options], Any] | None
    stream_async: Callable[[str, Options], Awaitable[Any]] | None = None
    whole_async: Callable[[str, Options], Awaitable[Any]] | None = None
    retries: bool = True
    """Whether it repeats requests by itself."""
    gzip: bool = True
    """Whether it accepts compressed answers."""
    manager: bool = False
    """Whether the stream is a context manager that gives what is iterated over."""

    @property
    def is_installed(self) -> bool:
        try:
            return importlib.util.find_spec(self.package) is not None
        except ModuleNotFoundError:
            return False


def _kept(client: Any, answer: Any) -> Any:
    """Keep a client for as long as its stream: some close their connections when they are dropped."""
    try:
        answer._client_of_test = client
    except Exception:
        _KEPT.append(client)
    return answer


_KEPT: list[Any] = []


def _openai(base: str, options: Options, *, asynchronous: bool = False) -> Any:
    import openai

    timeout = openai.NOT_GIVEN if options.timeout is None else options.timeout
    make = openai.AsyncOpenAI if asynchronous else openai.OpenAI
    return make(
        base_url=f"{base}/v1",
        api_key="k",
        max_retries=options.retries,
        timeout=timeout,
        http_client=options.http_client,
    )


_CHAT: dict[str, Any] = {"model": "gpt-4.1", "messages": [{"role": "user", "content": PROMPT}]}
_CHAT_STREAM: dict[str, Any] = {**_CHAT, "stream": True, "stream_options": {"include_usage": True}}


async def _openai_chat_async(base: str, options: Options) -> Any:
    return await _openai(base, options, asynchronous=True).chat.completions.create(**_CHAT_STREAM)


async def _openai_chat_whole_async(base: str, options: Options) -> Any:
    return await _openai(base, options, asynchronous=True).chat.completions.create(**_CHAT)


async def _openai_responses_async(base: str, options: Options) -> Any:
    return await _openai(base, options, asynchronous=True).responses.create(model="gpt-4.1", input=PROMPT, stream=True)


async def _openai_responses_whole_async(base: str, options: Options) -> Any:
    return await _openai(base, options, asynchronous=True).responses.create(model="gpt-4.1", input=PROMPT)


def _anthropic(base: str, options: Options, *, asynchronous: bool = False) -> Any:
    import anthropic

    timeout = anthropic.NOT_GIVEN if options.timeout is None else options.timeout
    make = anthropic.AsyncAnthropic if asynchronous else anthropic.Anthropic
    return make(
        base_url=base, api_key="k", max_retries=options.retries, timeout=timeout, http_client=options.http_client
    )


_MESSAGE: dict[str, Any] = {
    "model": "claude-sonnet-4-5",
    "max_tokens": 64,
    "messages": [{"role": "user", "content": PROMPT}],
}


async def _anthropic_async(base: str, options: Options) -> Any:
    return await _anthropic(base, options, asynchronous=True).messages.create(**_MESSAGE, stream=True)


async def _anthropic_manager_async(base: str, options: Options) -> Any:
    return _anthropic(base, options, asynchronous=True).messages.stream(**_MESSAGE)


async def _anthropic_whole_async(base: str, options: Options) -> Any:
    return await _anthropic(base, options, asynchronous=True).messages.create(**_MESSAGE)


def _genai(base: str, options: Options) -> Any:
    from google import genai

    retry = genai.types.HttpRetryOptions(attempts=options.retries + 1, initial_delay=0.05, jitter=0.0)
    timeout = None if options.timeout is None else int(options.timeout * 1000)
    return genai.Client(
        api_key="k", http_options=genai.types.HttpOptions(base_url=base, retry_options=retry, timeout=timeout)
    )


_CONTENT: dict[str, Any] = {"model": "gemini-2.5-flash", "contents": PROMPT}


def _genai_stream(base: str, options: Options) -> Any:
    client = _genai(base, options)
    return _kept(client, client.models.generate_content_stream(**_CONTENT))


async def _genai_async(base: str, options: Options) -> Any:
    client = _genai(base, options)
    return _kept(client, await client.aio.models.generate_content_stream(**_CONTENT))


async def _genai_whole_async(base: str, options: Options) -> Any:
    client = _genai(base, options)
    return _kept(client, await client.aio.models.generate_content(**_CONTENT))


def _genai_whole(base: str, options: Options) -> Any:
    client = _genai(base, options)
    return _kept(client, client.models.generate_content(**_CONTENT))


def _mistral(base: str, options: Options) -> Any:
    from mistralai.client import Mistral
    from mistralai.client.utils import BackoffStrategy, RetryConfig

    retry = RetryConfig("backoff", BackoffStrategy(50, 100, 1.0, 400), retry_connection_errors=False)
    timeout = None if options.timeout is None else int(options.timeout * 1000)
    if not options.retries:
        return Mistral(api_key="k", server_url=base, timeout_ms=timeout)
    return Mistral(api_key="k", server_url=base, timeout_ms=timeout, retry_config=retry)


_MISTRAL: dict[str, Any] = {"model": "mistral-small-latest", "messages": [{"role": "user", "content": PROMPT}]}


def _mistral_stream(base: str, options: Options) -> Any:
    client = _mistral(base, options)
    return _kept(client, client.chat.stream(**_MISTRAL))


async def _mistral_async(base: str, options: Options) -> Any:
    client = _mistral(base, options)
    return _kept(client, await client.chat.stream_async(**_MISTRAL))


async def _mistral_whole_async(base: str, options: Options) -> Any:
    return await _mistral(base, options).chat.complete_async(**_MISTRAL)


def _cohere(base: str, options: Options, *, asynchronous: bool = False) -> Any:
    import cohere

    make = cohere.AsyncClientV2 if asynchronous else cohere.ClientV2
    return make(api_key="k", base_url=base, timeout=options.timeout, max_retries=options.retries)


_COHERE: dict[str, Any] = {"model": "command-a-03-2025", "messages": [{"role": "user", "content": PROMPT}]}


def _cohere_stream(base: str, options: Options) -> Any:
    client = _cohere(base, options)
    return _kept(client, client.chat_stream(**_COHERE))


async def _cohere_async(base: str, options: Options) -> Any:
    client = _cohere(base, options, asynchronous=True)
    return _kept(client, client.chat_stream(**_COHERE))


async def _cohere_whole_async(base: str, options: Options) -> Any:
    return await _cohere(base, options, asynchronous=True).chat(**_COHERE)


def _ollama(base: str, options: Options, *, asynchronous: bool = False) -> Any:
    import ollama

    make = ollama.AsyncClient if asynchronous else ollama.Client
    return make(host=base, timeout=options.timeout)


_OLLAMA: dict[str, Any] = {"model": "llama3.2", "messages": [{"role": "user", "content": PROMPT}]}


def _ollama_stream(base: str, options: Options) -> Any:
    client = _ollama(base, options)
    return _kept(client, client.chat(**_OLLAMA, stream=True))


async def _ollama_async(base: str, options: Options) -> Any:
    client = _ollama(base, options, asynchronous=True)
    return _kept(client, await client.chat(**_OLLAMA, stream=True))


async def _ollama_whole_async(base: str, options: Options) -> Any:
    return await _ollama(base, options, asynchronous=True).chat(**_OLLAMA)


def _groq(base: str, options: Options, *, asynchronous: bool = False) -> Any:
    import groq

    timeout = groq.NOT_GIVEN if options.timeout is None else options.timeout
    make = groq.AsyncGroq if asynchronous else groq.Groq
    return make(base_url=base, api_key="k", max_retries=options.retries, timeout=timeout)


_GROQ: dict[str, Any] = {"model": "llama-3.3-70b-versatile", "messages": [{"role": "user", "content": PROMPT}]}


async def _groq_async(base: str, options: Options) -> Any:
    return await _groq(base, options, asynchronous=True).chat.completions.create(**_GROQ, stream=True)


async def _groq_whole_async(base: str, options: Options) -> Any:
    return await _groq(base, options, asynchronous=True).chat.completions.create(**_GROQ)


def _dashscope(base: str, options: Options, *, stream: bool) -> dict[str, Any]:
    timeout = {} if options.timeout is None else {"request_timeout": options.timeout}
    messages = [{"role": "user", "content": PROMPT}]
    said: dict[str, Any] = {"model": "qwen-plus", "api_key": "k", "messages": messages, "result_format": "message"}
    return {**said, **timeout, "stream": stream, "base_address": f"{base}/api/v1"}


def _dashscope_stream(base: str, options: Options) -> Any:
    import dashscope

    return dashscope.Generation.call(**_dashscope(base, options, stream=True))


def _dashscope_whole(base: str, options: Options) -> Any:
    import dashscope

    return dashscope.Generation.call(**_dashscope(base, options, stream=False))


async def _dashscope_async(base: str, options: Options) -> Any:
    from dashscope.aigc.generation import AioGeneration

    return await AioGeneration.call(**_dashscope(base, options, stream=True))


async def _dashscope_whole_async(base: str, options: Options) -> Any:
    from dashscope.aigc.generation import AioGeneration

    return await AioGeneration.call(**_dashscope(base, options, stream=False))


def _bedrock(base: str, options: Options) -> Any:
    import boto3
    from botocore.config import Config

    settings: dict[str, Any] = {"retries": {"total_max_attempts": options.retries + 1, "mode": "standard"}}
    if options.timeout is not None:
        settings["read_timeout"] = options.timeout
    session = boto3.Session(aws_access_key_id="k", aws_secret_access_key="s", region_name="us-east-1")
    return session.client("bedrock-runtime", endpoint_url=base, config=Config(**settings))


_CONVERSE: dict[str, Any] = {
    "modelId": "anthropic.claude-3-5-sonnet-20241022-v2:0",
    "messages": [{"role": "user", "content": [{"text": PROMPT}]}],
}
_INVOKE: dict[str, Any] = {
    "modelId": "anthropic.claude-3-5-sonnet-20241022-v2:0",
    "body": '{"anthropic_version": "bedrock-2023-05-31", "max_tokens": 64, "messages": []}',
}


def _converse_whole(base: str, options: Options) -> Any:
    answer = _bedrock(base, options).converse(**_CONVERSE)
    return {key: value for key, value in answer.items() if key != "ResponseMetadata"}


def _invoke_whole(base: str, options: Options) -> Any:
    return _bedrock(base, options).invoke_model(**_INVOKE)["body"].read()


CLIENTS = (
    Client(
        "openai.chat",
        "openai",
        "httpx2",
        "openai",
        "stop",
        lambda base, options: _openai(base, options).chat.completions.create(**_CHAT_STREAM),
        lambda base, options: _openai(base, options).chat.completions.create(**_CHAT),
        _openai_chat_async,
        _openai_chat_whole_async,
    ),
    Client(
        "openai.responses",
        "openai",
        "httpx2",
        "openai",
        "completed",
        lambda base, options: _openai(base, options).responses.create(model="gpt-4.1", input=PROMPT, stream=True),
        lambda base, options: _openai(base, options).responses.create(model="gpt-4.1", input=PROMPT),
        _openai_responses_async,
        _openai_responses_whole_async,
    ),
    Client(
        "anthropic",
        "anthropic",
        "httpx2",
        "anthropic",
        "end_turn",
        lambda base, options: _anthropic(base, options).messages.create(**_MESSAGE, stream=True),
        lambda base, options: _anthropic(base, options).messages.create(**_MESSAGE),
        _anthropic_async,
        _anthropic_whole_async,
    ),
    Client(
        "anthropic.stream",
        "anthropic",
        "httpx2",
        "anthropic",
        "end_turn",
        lambda base, options: _anthropic(base, options).messages.stream(**_MESSAGE),
        None,
        _anthropic_manager_async,
        manager=True,
    ),
    Client(
        "google-genai",
        "google.genai",
        "httpx2",
        "gcp.gemini",
        "STOP",
        _genai_stream,
        _genai_whole,
        _genai_async,
        _genai_whole_async,
    ),
    Client(
        "mistralai",
        "mistralai",
        "httpx2",
        "mistral_ai",
        "stop",
        _mistral_stream,
        lambda base, options: _mistral(base, options).chat.complete(**_MISTRAL),
        _mistral_async,
        _mistral_whole_async,
    ),
    Client(
        "cohere",
        "cohere",
        "httpx",
        "cohere",
        "COMPLETE",
        _cohere_stream,
        lambda base, options: _cohere(base, options).chat(**_COHERE),
        _cohere_async,
        _cohere_whole_async,
    ),
    Client(
        "ollama",
        "ollama",
        "httpx",
        "ollama",
        "stop",
        _ollama_stream,
        lambda base, options: _ollama(base, options).chat(**_OLLAMA),
        _ollama_async,
        _ollama_whole_async,
        retries=False,
    ),
    Client(
        "groq",
        "groq",
        "httpx",
        "groq",
        "stop",
        lambda base, options: _groq(base, options).chat.completions.create(**_GROQ, stream=True),
        lambda base, options: _groq(base, options).chat.completions.create(**_GROQ),
        _groq_async,
        _groq_whole_async,
    ),
    Client(
        "dashscope",
        "dashscope",
        "requests",
        "dashscope",
        "stop",
        _dashscope_stream,
        _dashscope_whole,
        _dashscope_async,
        _dashscope_whole_async,
        retries=False,
    ),
    Client(
        "boto3.converse",
        "boto3",
        "botocore",
        "aws.bedrock",
        "end_turn",
        lambda base, options: _bedrock(base, options).converse_stream(**_CONVERSE)["stream"],
        _converse_whole,
        gzip=False,
    ),
    Client(
        "boto3.invoke_model",
        "boto3",
        "botocore",
        "aws.bedrock",
        "end_turn",
        lambda base, options: _bedrock(base, options).invoke_model_with_response_stream(**_INVOKE)["body"],
        _invoke_whole,
        gzip=False,
    ),
)
