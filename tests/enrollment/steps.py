"""What a process calls next when it dies, in the order of an enrollment."""

WEB = {
    "before it asks": "enrollment.services.asking.enroll",
    "after it asked": "enrollment.services.asking.run_at_once",
    "after it claimed": "jobs.runner.run",
    "before it signs": "issuers.services.sign",
    "before it keeps what was signed": "jobs.services.complete",
    "while it keeps it": "certificates.services.add_version",
    "after it kept it": "enrollment.services.asking.answer_of",
    "before it notes who collects": "enrollment.services.asking.collected",
    "before EST's answer goes out": "enrollment.est.answers.give",
    "before SCEP's answer goes out": "enrollment.scep.replies.give",
}
WORKER = {
    name: at for name, at in WEB.items() if at.startswith(("jobs", "issuers", "certificates"))
}


def of_door(protocol):
    """Return the steps of an enrollment by that protocol."""
    other = {"est": "enrollment.scep.", "scep": "enrollment.est."}[protocol]
    return {name: at for name, at in WEB.items() if not at.startswith(other)}
