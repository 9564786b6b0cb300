"""tests/storage/resources/schedules"""
