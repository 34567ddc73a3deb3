"""What the trail says of what people keep about lists."""

from audit.sentences import Sentence, tell

tell(
    {
        "view.save": Sentence("saved", "save", "the view {it} of a list", "a view of a list"),
        "view.delete": Sentence("deleted", "delete", "the view {it} of a list", "a view of a list"),
        "columns.choose": Sentence("chose", "choose", "the columns of a list"),
    }
)
