/** The sink for OpenTelemetry. The package itself is started by its own entry points. */
export { OpenTelemetry, type OpenTelemetryOptions, type OpenTelemetryStats } from '../../js/opentelemetry.js'
