"""The resources of /query: which rows, in which order, what of them, and what may be asked."""

from __future__ import annotations

from django.db.models import Case, CharField, F, FloatField, QuerySet, Value, When
from django.db.models.functions import Cast

from datasets_app.models import Dataset
from simulations.models import (
    FINISHED,
    ClientRound,
    RoundMetrics,
    RunEvent,
    Simulation,
    Status,
    StrategyRun,
)
from simulations.query import filters, serializers
from simulations.query.listed import ListedViewSet
from simulations.query.ordering import Key
from simulations.query.viewset import RecordedViewSet


def simulations() -> QuerySet[Simulation]:
    """Return simulations with their progress, and their error if they failed."""
    done = Cast(F("rounds_done"), FloatField()) / F("rounds_total")
    failed = When(status=Status.FAILED, then=F("error"))
    error = Case(failed, default=Value(None), output_field=CharField())
    progress = Case(When(rounds_total=0, then=Value(0.0)), default=done)
    return Simulation.objects.annotate(progress_done=progress, shown_error=error)


def strategies() -> QuerySet[StrategyRun]:
    """Return strategies with their own status: those before the running one are completed."""
    status = Case(
        When(finished_at__isnull=False, then=Value(Status.COMPLETED.value)),
        When(started_at__isnull=False, then=F("simulation__status")),
        When(simulation__status__in=FINISHED, then=F("simulation__status")),
        default=Value(Status.QUEUED.value),
        output_field=CharField(),
    )
    return StrategyRun.objects.annotate(own_status=status)


class SimulationViewSet(RecordedViewSet):
    """Simulations, newest first."""

    queryset = simulations()
    serializer_class = serializers.SimulationSerializer
    filterset_class = filters.SimulationFilters
    order = (Key("created_at", is_descending=True), Key("pk", is_descending=True))
    lookup_field = "simulation_id"


class StrategyViewSet(RecordedViewSet):
    """Strategies of simulations, in the order in which they were submitted."""

    queryset = strategies()
    serializer_class = serializers.StrategySerializer
    filterset_class = filters.StrategyFilters
    order = (Key("simulation_id"), Key("number"), Key("pk"))


class RoundViewSet(RecordedViewSet):
    """What was measured of each round, strategy by strategy."""

    queryset = RoundMetrics.objects.all()
    serializer_class = serializers.RoundSerializer
    filterset_class = filters.RoundFilters
    order = (Key("strategy_run_id"), Key("round_number"), Key("pk"))


class ClientRoundViewSet(RecordedViewSet):
    """What was measured of each client in each round, strategy by strategy."""

    queryset = ClientRound.objects.all()
    serializer_class = serializers.ClientRoundSerializer
    filterset_class = filters.ClientRoundFilters
    order = (Key("strategy_run_id"), Key("round_number"), Key("client_id"), Key("pk"))


class EventViewSet(RecordedViewSet):
    """What happened, in the order in which it was recorded."""

    queryset = RunEvent.objects.all()
    serializer_class = serializers.EventSerializer
    filterset_class = filters.EventFilters
    order = (Key("pk"),)


class DatasetViewSet(ListedViewSet):
    """What can be trained on, in the order of the catalogue."""

    queryset = Dataset.objects.none()
    serializer_class = serializers.DatasetSerializer
    filterset_class = filters.DatasetFilters
    lookup_field = "keyword"


RESOURCES: dict[str, type[RecordedViewSet]] = {
    "simulations": SimulationViewSet,
    "strategies": StrategyViewSet,
    "rounds": RoundViewSet,
    "client-rounds": ClientRoundViewSet,
    "events": EventViewSet,
    "datasets": DatasetViewSet,
}
