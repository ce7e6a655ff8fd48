"""Servers of this machine that speak the providers' own protocols, for the demo and the tests.

They know FCM HTTP v1 with its OAuth token endpoint, Twilio's Messages with signed callbacks, and
SMTP; they keep what they got, and can be told to be slow, to refuse, or to take a message and never
say so. Nothing here leaves the machine.
"""

from .faults import Fault, Faults
from .fcm import FakeFcm, Push
from .smtp import FakeSmtp, Mail
from .twilio import FakeTwilio, Sms

__all__ = ["FakeFcm", "FakeSmtp", "FakeTwilio", "Fault", "Faults", "Mail", "Push", "Sms"]
