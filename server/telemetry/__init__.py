"""What the server tells its operators: metrics, unhandled errors, status."""
