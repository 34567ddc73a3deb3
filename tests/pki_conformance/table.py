"""The table of breakages: for each rule at least one way to break it, and nothing else."""

BREAKAGES: dict = {}


def breaks(rule, **target):
    """Register a breakage of a rule; `target` is what the asker says besides."""

    def register(function):
        name = function.__name__.strip("_").replace("_", " ")
        key = f"{rule}: {name}"
        assert key not in BREAKAGES, key
        BREAKAGES[key] = (rule, function, target)
        return function

    return register
