"""What the engine tells of alert groups."""

import django.dispatch

alert_create_signal = django.dispatch.Signal()
alert_group_action_triggered_signal = django.dispatch.Signal()
