"""What is sent when its time has come."""
