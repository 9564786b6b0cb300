"""One header or one family of headers a file: what a request says by it, what an answer sets."""
