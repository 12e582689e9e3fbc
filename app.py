"""Every Lambda of the platform on one page."""

from typing import Any

from chalice.app import Chalice, Rate

from chalicelib.api import inbound, pages, queue_messages, rental
from chalicelib.bootstrap import platform

app = Chalice(app_name="sesame")

for blueprint in (pages.routes, rental.routes, inbound.routes):
    app.register_blueprint(blueprint)

# Queue and schedule handlers stay here: in a blueprint, Lambda would never import this module.


@app.on_sqs_message(queue="webhooks", batch_size=10, name="deliver_webhooks")
def deliver_webhooks(event: Any) -> dict[str, Any]:
    """Attempt the deliveries that the queue tells of."""
    return queue_messages.deliver_webhooks(event)


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
