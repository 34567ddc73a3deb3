"""What an agent is to do now: one question, whichever process answers it."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from deployments.models import Agent
from foundation.clock import database_clock
from jobs.models import Job
from jobs.states import Status

MOST = 100  # at once; the rest comes when these are done


@dataclass(frozen=True, slots=True)
class Work:
    """An agent's work as plain values, and a tag that is the same while the work is."""

    items: Sequence[dict[str, Any]]
    tag: str


def work_of(agent: Agent) -> Work:
    """Return what `agent` is to do, does, or waits for, the longest waiting first.

    One query, so that it may be asked often: by a poll, and by what holds one open.
    """
    rows = (
        Job.objects.of_agent(agent, database_clock.now())
        .select_related("certificate__profile", "target")
        .only(
            "id",
            "kind",
            "status",
            "agent_id",
            "csr_agent_id",
            "claim_number",
            "scheduled_at",
            "waits_until",
            "key_fingerprint",
            "last_error",
            "certificate__name",
            "certificate__common_name",
            "certificate__sans",
            "certificate__profile__key_algorithms",
            "target__name",
            "target__kind",
        )
    )
    items = [_item(job, agent) for job in rows[:MOST]]
    text = json.dumps(items, sort_keys=True, separators=(",", ":"))
    return Work(items, hashlib.sha256(text.encode()).hexdigest()[:32])


def _item(job: Job, agent: Agent) -> dict[str, Any]:
    certificate, target = job.certificate, job.target
    return {
        "id": str(job.pk),
        "kind": job.kind,
        "todo": _todo(job, agent),
        "status": job.status,
        "claim": job.claim_number,
        "certificate": str(certificate.pk),
        "certificate_name": certificate.name,
        "common_name": certificate.common_name,
        "sans": list(certificate.sans),
        "key_algorithms": list(certificate.profile.key_algorithms),
        "key_fingerprint": job.key_fingerprint,
        "target": str(target.pk) if target else None,
        "target_name": target.name if target else None,
        "target_kind": target.kind if target else None,
        "waits_until": job.waits_until.isoformat() if job.waits_until else None,
        "last_error": job.last_error,
    }


def _todo(job: Job, agent: Agent) -> str:
    """Return the one word: carry, csr, or wait (for a decision, or for the signature)."""
    if job.agent_id == agent.pk:
        return "carry"
    return "csr" if job.status == Status.AWAITING_CSR else "wait"
