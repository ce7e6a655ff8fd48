"""The ways to a customer: APP push, SMS, e-mail. Each says what became of one attempt."""

from .outcome import Channel, Delivery, Outcome

__all__ = ["Channel", "Delivery", "Outcome"]
