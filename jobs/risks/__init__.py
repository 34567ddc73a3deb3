"""What is risky about what is asked for, flagged for whoever decides on it.

Nothing is refused for a flag; it keeps a job from being decided on together with others.
"""

from jobs.risks.flags import MANY_NAMES, Flag, flags_of, key_words
from jobs.risks.usual import Usual, usual_of

__all__ = ["MANY_NAMES", "Flag", "Usual", "flags_of", "key_words", "usual_of"]
