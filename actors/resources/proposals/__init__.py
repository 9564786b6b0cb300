"""Proposals: changes of an artifact that members accept, reject, or accept in part."""
