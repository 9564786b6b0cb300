"""Where a browser is sent after a sign-in: never to another site."""


def own_path(text: str | None) -> str:
    """A path of this server, or nothing: a forged link must not redirect elsewhere.

    Browsers take `//x`, `/\\x`, and either with a tab in it, for another host.
    """
    given = text or ""
    is_path = given.startswith("/") and not given.startswith("//") and "\\" not in given and given.isprintable()
    return given if is_path else ""
