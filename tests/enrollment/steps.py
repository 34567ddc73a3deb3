"""What a process calls next when it dies, in the order of an enrollment."""

# Of one in one transaction: asked, signed and collected.
AT_ONCE = {
    "before it asks": "enrollment.services.asking.enroll",
    "before it asks for the job": "enrollment.services.enrolling.request_issuance",
    "after it asked": "enrollment.services.enrolling.sign_at_once",
    "before it signs": "issuers.services.sign",
    "while it keeps it": "certificates.services.add_version",
    "before it completes the job": "jobs.services.settle.finish",
    "before it saves the request": "enrollment.services.enrolling.insert",
    "before it notes who collects": "enrollment.services.enrolling.tell_collected",
    "before it tells the trail": "audit.services.insert_all",
    "after all was written, before the commit": "audit.use_cases.check_looked_at",
    "after the commit": "enrollment.services.asking.Answer",
}
# The same where something keeps it from being done with the asking.
WEB = {
    "before it asks": "enrollment.services.asking.enroll",
    "after it asked": "enrollment.services.asking.run_at_once",
    "after it claimed": "jobs.runner.run",
    "before it signs": "issuers.services.sign",
    "before it keeps what was signed": "jobs.services.complete",
    "while it keeps it": "certificates.services.add_version",
    "after it kept it": "enrollment.services.asking.answer_of",
    "before it notes who collects": "enrollment.services.asking.collected",
}
WORKER = {
    name: at for name, at in WEB.items() if at.startswith(("jobs", "issuers", "certificates"))
}
# Of the web server itself, with the answer that is lost on its way.
SERVED = AT_ONCE | {
    "before EST's answer goes out": "enrollment.est.answers.give",
    "before SCEP's answer goes out": "enrollment.scep.replies.give",
}


def of_door(protocol):
    """Return the steps of an enrollment by that protocol."""
    other = {"est": "enrollment.scep.", "scep": "enrollment.est."}[protocol]
    return {name: at for name, at in SERVED.items() if not at.startswith(other)}
