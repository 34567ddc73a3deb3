"""The door of agents: how they register, who they are, and the work that is theirs."""
