"""Traces (OpenTelemetry): which parts of the server a command went through, and how long each took."""
