import './setup.js'

export { OpenTelemetry, type OpenTelemetryOptions, type OpenTelemetryStats } from '../../js/opentelemetry.js'
