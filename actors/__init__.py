"""The core: commands, events, errors, rules, ports, actors. Imports only the standard library and Pykka."""
