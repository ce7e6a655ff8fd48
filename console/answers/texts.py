"""Every sentence of the customer's page, in Traditional Chinese and in English; nothing else is.

Plain words, no urgency, never a request for a password (COMPLIANCE.md 3.2). `{firm}` and `{phone}`
come from the settings, never from an event.
"""

from __future__ import annotations

from typing import Final, Literal

Language = Literal["zh", "en"]
LANGUAGES: Final[tuple[Language, ...]] = ("zh", "en")
TAGS: Final[dict[Language, str]] = {"zh": "zh-Hant-TW", "en": "en"}
"""Of BCP 47, for screen readers."""

TEXTS: Final[dict[Language, dict[str, str]]] = {
    "zh": {
        "switch": "English",
        "title": "這次登入是您本人嗎？",
        "error_title": "還差一步：",
        "lead": "我們看到您的帳號有一次登入，想請您確認：",
        "lead_password_known": "有人以正確的密碼嘗試登入您的帳號，但未完成第二道驗證。請確認：",
        "when": "時間",
        "taipei": "台北時間",
        "door": "管道",
        "place": "約略地點",
        "number": "通知編號",
        "unknown": "無法判斷",
        "choose": "請選一項",
        "no": "不是我",
        "no_help": "我們會先暫停電子下單，並登出所有裝置",
        "no_help_staff": "我們會立即通知專人處理",
        "yes": "是我本人",
        "yes_help": "不會變更任何設定",
        "phone": "您留存的行動電話末 3 碼",
        "number_digits": "通知編號的末 3 碼",
        "digits_help": "為確認是由人作答，請自行輸入。請勿輸入密碼或驗證碼。",
        "send": "送出",
        "err_choice": "請先選「不是我」或「是我本人」。",
        "err_digits": "請輸入 3 位數字。",
        "err_wrong": "這 3 位數字不符。輸入錯誤不會鎖住您的帳號。",
        "err_form": "頁面已放太久，請再送出一次。",
        "help": "無法作答？請撥打您平常使用的客服或營業員電話。本公司不會索取密碼或驗證碼。",
        "no_title": "已收到：不是您本人",
        "no_lead": "謝謝您。我們已開始處理：",
        "no_1": "暫停新的電子下單，並登出所有裝置。",
        "no_1_staff": "已通知資安專人立即處理。",
        "no_2": "專人會與您聯絡確認。我們不會問您的密碼或驗證碼。",
        "no_3": "完成身分確認後，才會恢復電子下單並協助您更換密碼。",
        "no_3_staff": "完成身分確認後，我們會協助您更換密碼。",
        "no_order": "這段期間要下單或刪單，請撥打您平常使用的客服或營業員電話。",
        "no_fraud": "若有人自稱本公司要您匯款或操作，請掛斷並撥打 165 反詐騙專線。",
        "yes_title": "謝謝您的確認",
        "yes_lead": "已記錄為您本人登入。您的帳號沒有任何變更，不需要再做什麼。",
        "yes_wrong": "如果您選錯了，請立即撥打客服或營業員電話。",
        "call": "客服電話",
        "closed_title": "這個連結無法使用",
        "closed_1": "可能已經過期、已經作答，或網址不完整。",
        "closed_2": "如果您已經作答，您的答覆已生效，不需要再做什麼。",
        "closed_3": "如果有一次登入不是您本人，請立即撥打您平常使用的客服或營業員電話。",
        "busy_title": "請稍後再試",
        "busy_1": "這個網路在短時間內試了太多次。請過一分鐘再試。",
    },
    "en": {
        "switch": "中文",
        "title": "Was this login you?",
        "error_title": "Almost done: ",
        "lead": "We saw a login to your account and would like you to confirm it:",
        "lead_password_known": "Someone typed the right password of your account, but did not "
        "finish the second step. Please confirm:",
        "when": "Time",
        "taipei": "Taipei time",
        "door": "Channel",
        "place": "Place (about)",
        "number": "Notice number",
        "unknown": "Not known",
        "choose": "Choose one",
        "no": "No, not me",
        "no_help": "We pause electronic orders and sign out every device",
        "no_help_staff": "We tell our security staff at once",
        "yes": "Yes, it was me",
        "yes_help": "Changes nothing in your account",
        "phone": "Last 3 digits of your mobile number on record",
        "number_digits": "Last 3 digits of the notice number",
        "digits_help": "Type them yourself, so that we know a person answers. "
        "Never type a password or a code here.",
        "send": "Send",
        "err_choice": "Choose \u201cNo, not me\u201d or \u201cYes, it was me\u201d first.",
        "err_digits": "Type 3 digits.",
        "err_wrong": "These 3 digits do not match. Wrong digits never lock your account.",
        "err_form": "This page was open for too long. Please send it once more.",
        "help": "Cannot answer here? Call customer service or your broker on the number you always "
        "use. We never ask for a password or a code.",
        "no_title": "Received: it was not you",
        "no_lead": "Thank you. We have started:",
        "no_1": "New electronic orders are being paused and every device signed out.",
        "no_1_staff": "Our security staff have been told and are looking at it now.",
        "no_2": "One of us will contact you. We will not ask for your password or a code.",
        "no_3": "Electronic orders resume once we know that it is you; "
        "we then help you change your password.",
        "no_3_staff": "Once we know that it is you, we help you change your password.",
        "no_order": "To place or cancel an order meanwhile, call customer service or your broker "
        "on the number you always use.",
        "no_fraud": "If anyone claims to be us and asks you to transfer money, hang up and call "
        "the anti-fraud line 165.",
        "yes_title": "Thank you",
        "yes_lead": "We noted that it was you. Nothing in your account changes, and there is "
        "nothing more to do.",
        "yes_wrong": "If you chose this by mistake, call customer service or your broker now.",
        "call": "Customer service",
        "closed_title": "This link cannot be used",
        "closed_1": "It may be too old, already answered, or incomplete.",
        "closed_2": "If you have answered already, your answer counts; there is nothing to do.",
        "closed_3": "If a login was not yours, call customer service or your broker now, on the "
        "number you always use.",
        "busy_title": "Please try again later",
        "busy_1": "There were too many tries from this network. Wait a minute, then try again.",
    },
}

DOORS: Final[dict[Language, dict[str, str]]] = {
    "zh": {
        "web": "網頁",
        "app": "手機 APP",
        "api": "API 下單",
        "dma": "DMA 專線",
        "phone": "電話",
        "staff": "櫃檯或營業員",
        "other": "其他",
    },
    "en": {
        "web": "Website",
        "app": "Mobile app",
        "api": "API trading",
        "dma": "Direct market access",
        "phone": "Telephone",
        "staff": "Counter or broker",
        "other": "Other",
    },
}


def preferred(accept_language: str) -> Language:
    """The language a browser asks for first, of the two we speak; Chinese where it asks for none.

    Weights are looked at only as an order: of texts nobody wrote by hand the first is the best.
    """
    for part in accept_language[:200].lower().split(","):
        tag = part.partition(";")[0].strip()
        if tag.startswith("zh"):
            return "zh"
        if tag.startswith("en"):
            return "en"
    return "zh"
