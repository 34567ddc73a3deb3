"""What beat asks for, and how often: each is a sweep, which may run any number of times."""

from typing import Any

from celery.schedules import crontab

SCHEDULE: dict[str, dict[str, Any]] = {
    name: {"task": task, "schedule": schedule}
    for name, task, schedule in (
        ("run-pending-jobs", "jobs.run_pending_jobs", 5.0),
        ("retry-failed-jobs", "jobs.retry_failed_jobs", 15.0),
        ("time-out-waiting-jobs", "jobs.time_out_waiting_jobs", 60.0),
        ("request-due-renewals", "jobs.request_due_renewals", 60.0),
        ("update-expiry-statuses", "certificates.update_expiry_statuses", 300.0),
        ("watch-issuers", "certificates.watch_issuers", 60.0),
        ("tend-responders", "jobs.tend_responders", 60.0),
        ("tend-ra-certificates", "enrollment.tend_ra_certificates", 60.0),
        ("miss-silent-agents", "agents.miss_silent", 15.0),
        ("run-revocation-plans", "revocation.run_plans", 5.0),
        ("expire-revocation-plans", "revocation.expire_plans", 60.0),
        ("announce-waiting", "notifications.announce_waiting", 60.0),
        ("send-mail", "notifications.send", 60.0),
        ("adopt", "certificates.adopt", 60.0),
        ("refresh-crls", "certificates.refresh_crls", 60.0),
        ("export-pki", "certificates.export_pki", 60.0),
        ("sign-ahead", "certificates.sign_ahead", 60.0),
        (
            "drop-stale-ocsp-responses",
            "certificates.drop_stale_ocsp_responses",
            crontab(minute="17"),
        ),
        ("drop-old-idempotency-records", "jobs.drop_old_idempotency_records", crontab(minute="27")),
        ("drop-old-messages", "notifications.drop_old", crontab(minute="37")),
    )
}
