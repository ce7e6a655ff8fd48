"""The detections, listed by hand: a rule that is missing here is an import error, never a silent
hole.
"""

from __future__ import annotations

from ..rule import Rule
from . import (
    account_many_sources,
    dormant_account,
    global_attack_mode,
    hit_accounts_same_order,
    ip_account_spray,
    ip_fail_burst,
    ip_fail_daily,
    ip_unknown_accounts,
    lockout_attack,
    new_device_and_place,
    origin_many_first_successes,
    password_known,
    sensitive_change_after_risky_login,
    single_factor_success,
    subnet_attack,
    success_after_attack,
    success_in_attack_mode,
    unknown_origin_ip,
)

RULES: tuple[Rule, ...] = (
    ip_fail_burst.RULE,
    ip_fail_daily.RULE,
    ip_account_spray.RULE,
    ip_unknown_accounts.RULE,
    account_many_sources.RULE,
    success_after_attack.RULE,
    global_attack_mode.RULE,
    success_in_attack_mode.RULE,
    new_device_and_place.RULE,
    unknown_origin_ip.RULE,
    subnet_attack.RULE,
    password_known.RULE,
    origin_many_first_successes.RULE,
    sensitive_change_after_risky_login.RULE,
    hit_accounts_same_order.RULE,
    lockout_attack.RULE,
    single_factor_success.RULE,
    dormant_account.RULE,
)
