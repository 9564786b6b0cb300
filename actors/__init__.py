"""The core: commands, events, errors, rules, ports and the actors. Imports nothing but the standard library and Pykka."""
