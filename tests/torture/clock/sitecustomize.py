"""Imported by Python at its start if this folder is on PYTHONPATH: a clock that is a day slow."""

import datetime
import time

SLOW_SECONDS = 86_400.0
_time, _Datetime = time.time, datetime.datetime


class _Slow(_Datetime):
    @classmethod
    def now(cls, tz=None):
        return _Datetime.now(tz) - datetime.timedelta(seconds=SLOW_SECONDS)


time.time = lambda: _time() - SLOW_SECONDS
datetime.datetime = _Slow
