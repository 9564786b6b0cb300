"""The recipe of CONTRIBUTING.md, walked with a made-up resource: the files of `notes/` are all that it takes."""
