"""tests/server/telemetry"""
