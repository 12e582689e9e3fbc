"""Every Lambda of the platform on one page."""

from typing import Any

from chalice.app import Chalice, Rate

from chalicelib import settings, telemetry
from chalicelib.api import (
    account,
    account_events,
    account_history,
    account_keys,
    account_otp,
    account_webhook,
    admin,
    admin_stock,
    background,
    client,
    code_reports,
    inbound,
    manager,
    otp,
    pages,
    queue_messages,
    rental,
    summary,
)
from chalicelib.bootstrap import platform

if (namespace := settings.metrics_namespace()) is not None:
    telemetry.write_json(namespace)

app = Chalice(app_name="sesame", configure_logs=False)

for face in (
    pages,
    rental,
    client,
    account,
    account_keys,
    account_history,
    account_events,
    account_otp,
    account_webhook,
    manager,
    admin,
    admin_stock,
    summary,
    code_reports,
    inbound,
    otp,
):
    app.register_blueprint(face.routes)

app.register_middleware(background.told, "sqs")
app.register_middleware(background.told, "scheduled")

# Queue and schedule handlers stay here: in a blueprint, Lambda would never import this module.


@app.on_sqs_message(
    queue="webhooks", batch_size=10, maximum_concurrency=1000, name="deliver_webhooks"
)
def deliver_webhooks(event: Any) -> dict[str, Any]:
    """Attempt the deliveries that the queue tells of."""
    return queue_messages.deliver_webhooks(event)


@app.on_sqs_message(
    queue="webhooks_slow", batch_size=10, maximum_concurrency=50, name="deliver_slow_webhooks"
)
def deliver_slow_webhooks(event: Any) -> dict[str, Any]:
    """Attempt the deliveries of endpoints that keep us waiting."""
    return queue_messages.deliver_slow_webhooks(event)


@app.on_sqs_message(queue="polls", batch_size=1, name="poll_suppliers")
def poll_suppliers(event: Any) -> dict[str, Any]:
    """Ask suppliers for the SMS of the numbers that we bought from them."""
    return queue_messages.poll_suppliers(event)


@app.on_sqs_message(queue="otp", batch_size=1, name="send_otp")
def send_otp(event: Any) -> dict[str, Any]:
    """Have providers send the codes that were asked for."""
    return queue_messages.send_otp(event)


@app.on_sqs_message(queue="sweeps", batch_size=1, name="run_sweep_page")
def run_sweep_page(event: Any) -> dict[str, Any]:
    """Do a page of a sweep that was more than its schedule could do."""
    return queue_messages.run_sweep_page(event)


@app.schedule(Rate(1, unit=Rate.MINUTES), name="expire_rentals")
def expire_rentals(_event: Any) -> None:
    """Close the rentals whose time is over."""
    platform().jobs.expire_rentals()


@app.schedule(Rate(1, unit=Rate.MINUTES), name="end_rests")
def end_rests(_event: Any) -> None:
    """Free the numbers that have rested."""
    platform().jobs.end_rests()


@app.schedule(Rate(1, unit=Rate.MINUTES), name="count_stock")
def count_stock(_event: Any) -> None:
    """Count the stock into the item that everybody reads."""
    platform().jobs.count_stock()


@app.schedule(Rate(1, unit=Rate.MINUTES), name="requeue_deliveries")
def requeue_deliveries(_event: Any) -> None:
    """Tell the webhooks queue what it was not told of."""
    platform().jobs.requeue_deliveries()


@app.schedule(Rate(1, unit=Rate.MINUTES), name="requeue_polls")
def requeue_polls(_event: Any) -> None:
    """Ask again for the SMS that nobody has asked for in time."""
    platform().jobs.requeue_polls()


@app.schedule(Rate(1, unit=Rate.MINUTES), name="join_parts")
def join_parts(_event: Any) -> None:
    """Join long SMS of which parts are missing."""
    platform().jobs.join_parts()


@app.schedule(Rate(1, unit=Rate.MINUTES), name="requeue_otp")
def requeue_otp(_event: Any) -> None:
    """Have codes sent that nobody has sent in time."""
    platform().jobs.requeue_otp()


@app.schedule(Rate(1, unit=Rate.MINUTES), name="roll_up")
def roll_up(_event: Any) -> None:
    """Write the rollups of the minutes whose time has come."""
    platform().jobs.roll_up()


@app.schedule(Rate(1, unit=Rate.MINUTES), name="purge_sms")
def purge_sms(_event: Any) -> None:
    """Remove the SMS whose time is over."""
    platform().jobs.purge_sms()


@app.schedule(Rate(1, unit=Rate.HOURS), name="credit_markups")
def credit_markups(_event: Any) -> None:
    """Credit managers with what the last days of their users earned them."""
    platform().jobs.credit_markups()
