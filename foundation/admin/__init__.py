"""What the admin of every app is made of: rows to read, to save, to delete, and to be asked about.

No class here knows an app: what is refused goes to `settings.ADMIN_REFUSAL_RECORDER`.
"""

from foundation.admin.confirms import ConfirmForm, Confirms, Question
from foundation.admin.deletes import Deletes
from foundation.admin.edge import Edge, ReadOnly
from foundation.admin.forms import valid
from foundation.admin.named import Names
from foundation.admin.once import ShownOnce
from foundation.admin.pages import Page
from foundation.admin.saves import Saves
from foundation.admin.switches import Switches

__all__ = [
    "ConfirmForm",
    "Confirms",
    "Deletes",
    "Edge",
    "Names",
    "Page",
    "Question",
    "ReadOnly",
    "Saves",
    "ShownOnce",
    "Switches",
    "valid",
]
