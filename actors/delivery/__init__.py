"""From a committed event to a subscriber: channels, connections, live channels."""
