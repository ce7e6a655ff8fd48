"""Campaigns instead of floods: alerts that belong together become one incident.

What hardly a customer causes makes an incident of them (`sums`); the rest stays alerts. Which
belong together: `links`. The same code is live and in replay: `fold`. What is told of it as it
grows: `news`; when it wakes people: `pages`.
"""

from .record import (
    Deed,
    Hit,
    Hour,
    Incident,
    Kind,
    Status,
    decode,
    encode,
    in_order,
    incident_id,
    incident_of,
    incidents,
    is_over,
)

__all__ = [
    "Deed",
    "Hit",
    "Hour",
    "Incident",
    "Kind",
    "Status",
    "decode",
    "encode",
    "in_order",
    "incident_id",
    "incident_of",
    "incidents",
    "is_over",
]
