"""What the trail says of principals and their keys besides the use cases."""

from audit.actions import declare

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
