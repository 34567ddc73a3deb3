"""What can be wrong with a CMS message; the words may be shown to whoever sent it."""


class CMSError(ValueError):
    """The message is refused."""


class Malformed(CMSError):
    """It does not hold together, or goes beyond what is read here."""


class BadAlgorithm(CMSError):
    """It uses an algorithm that is unknown here, or too weak."""


class BadSignature(CMSError):
    """What it says of itself is not so: its signature, its digest or the type of its content."""


class CannotDecrypt(CMSError):
    """The envelope is not for this key, or was changed on its way: never says which."""
