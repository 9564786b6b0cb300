"""Alerts that the server sends by itself."""

from typing import Final

ALERT_RULES: Final = 50
"""Rules of one server: a page that an operator reads."""
ALERT_LOOK_SECONDS: Final = 5.0
"""Between two looks at what the rules are about: parts and samples that are there anyway."""
ALERT_WINDOW_SECONDS: Final = 60.0
"""What a figure is compared over: one slow request within ten seconds says little."""
ALERT_CLEAR_SECONDS: Final = 60.0
"""For so long all has to be well before an alert ends: one that comes and goes is one alert."""
ALERT_CLEAR_SHARE: Final = 0.9
"""Of the bound: a figure ends its alert only below it, so that one which hovers about the bound is one alert."""
ALERT_AGAIN_SECONDS: Final = 4 * 3600.0
"""After so long an alert that goes on is sent again: a message of last night was perhaps not seen."""
ALERT_QUEUE: Final = 100
"""Alerts that wait for a receiver that does not answer; the oldest give way."""
ALERT_SEND_SECONDS: Final = 10.0
"""Until a receiver that does not answer is given up, and tried again later."""
ALERT_RETRY_SECONDS: Final = 5.0
"""Until the second attempt; each further one waits twice as long."""
ALERT_RETRY_SECONDS_MOST: Final = 300.0
"""Between two attempts at most."""
