"""What the trail says of agents besides the use cases."""

from audit.actions import declare
from audit.sentences import Sentence, tell

declare(
    {
        "agent.refuse": "Somebody came to the agents' door with a key that may not be used.",
        "agent.go_online": "An agent was heard of, for the first time or after a silence.",
        "agent.go_offline": "An agent was not heard of for too long.",
        "agent.first_use": "A key of an agent let it in for the first time; the older ones ended.",
        "agent.describe": "What an agent says of its host has changed.",
    }
)

tell(
    {
        "agent.create_token": Sentence(
            "made", "make", "the registration token {it}", "a registration token"
        ),
        "agent.withdraw_token": Sentence(
            "withdrew", "withdraw", "the registration token {it}", "a registration token"
        ),
        "agent.register": Sentence("registered", "register", "the agent {it}", "an agent"),
        "agent.heartbeat": Sentence("told of", "tell of", "the agent {it}", "an agent"),
        "agent.rotate_key": Sentence("gave a new key to", "give a new key to", "{it}", "an agent"),
        "agent.retire": Sentence("retired", "retire", "the agent {it}", "an agent"),
        "agent.refuse": Sentence(
            "was refused, who came as", "come as", "the agent {it}", "an agent that nobody knows"
        ),
        "agent.go_online": Sentence("heard of", "hear of", "the agent {it}", "an agent"),
        "agent.go_offline": Sentence(
            "missed", "miss", "the agent {it}, which went offline", "an agent"
        ),
        "agent.first_use": Sentence("used", "use", "a new key of {it}", "a new key of an agent"),
        "agent.describe": Sentence(
            "wrote down", "write down", "the host of {it}", "an agent's host"
        ),
    }
)
