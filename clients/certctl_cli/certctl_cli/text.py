"""Text from elsewhere, made harmless for a terminal: what steers one is shown, not sent."""

import unicodedata

# Control and format characters (also bidirectional ones), surrogates, private and unassigned ones,
# and the separators of lines and paragraphs: all of them move what a reader sees.
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def harmless(text: str, *, keep: str = "\n") -> str:
    r"""Return `text` with every character that could steer a terminal as its escape, as `\x1b`.

    `keep` are the control characters that stay as they are.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        one if one in keep or unicodedata.category(one) not in _UNSEEN else _escape(one)
        for one in text
    )


def _escape(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")
