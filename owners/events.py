"""What the trail says of principals and their keys besides the use cases."""

from audit.actions import declare
from audit.sentences import Sentence, tell

declare(
    {
        "principal.login": "A principal signed in to the admin.",
        "principal.logout": "A principal signed out.",
        "principal.login_failed": "A wrong name or password was given; `data.username` as typed.",
        "principal.lock_out": "Too many wrong passwords: a name is locked out at an address.",
        "apikey.refuse": "A key is unknown, wrong, or may not be used; under the key's name.",
        "apikey.lock_out": "Too many wrong keys: a prefix is locked out at an address.",
    }
)

tell(
    {
        "administrator.first": Sentence(
            "came in as the first administrator,", "come in as", "{it}", "the first administrator"
        ),
        "administrator.invite": Sentence("made", "make", "a link for the first administrator"),
        "apikey.create": Sentence("made", "make", "the API key {it}", "an API key"),
        "apikey.disable": Sentence("disabled", "disable", "the API key {it}", "an API key"),
        "apikey.refuse": Sentence(
            "was refused, who came with",
            "come with",
            "the API key {it}",
            "an API key that is unknown or wrong",
        ),
        "apikey.lock_out": Sentence(
            "was locked out", "be locked out", "for guessing at {it}", "for guessing at API keys"
        ),
        "owner.create": Sentence("made", "make", "the owner {it}", "an owner"),
        "owner.update": Sentence("changed", "change", "the owner {it}", "an owner"),
        "owner.delete": Sentence("deleted", "delete", "the owner {it}", "an owner"),
        "principal.create": Sentence("made", "make", "the account {it}", "an account"),
        "principal.create_superuser": Sentence(
            "made", "make", "the administrator {it}", "an administrator"
        ),
        "principal.update": Sentence("changed", "change", "the account {it}", "an account"),
        "principal.change_password": Sentence(
            "changed", "change", "the password of {it}", "a password"
        ),
        "principal.login": Sentence("signed in", "sign in", ""),
        "principal.logout": Sentence("signed out", "sign out", ""),
        "principal.login_failed": Sentence("failed to sign in", "sign in", ""),
        "principal.lock_out": Sentence(
            "was locked out",
            "be locked out",
            "for guessing at the password of {it}",
            "for guessing at a password",
        ),
        "team.create": Sentence("made", "make", "the team {it}", "a team"),
        "team.update": Sentence("changed", "change", "the team {it}", "a team"),
        "team.delete": Sentence("deleted", "delete", "the team {it}", "a team"),
    }
)
