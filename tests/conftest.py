"""What holds for all tests."""

import signal

# A shell that starts us in the background has us ignore Ctrl-C, and every process that we start inherits that: those
# that are to be interrupted would not be.
signal.signal(signal.SIGINT, signal.default_int_handler)
