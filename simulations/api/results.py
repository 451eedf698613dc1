"""The files a run wrote, one at a time."""

from __future__ import annotations

from pathlib import PurePosixPath

from django.http import HttpRequest, HttpResponseBase
from ninja import Router

from simulations import result_files, selectors
from simulations.api.file_response import file_response, records_response
from simulations.artifacts import folder

router = Router(tags=["Simulations"])


@router.get(
    "/simulations/{simulation_id}/results/{path:result_filename}",
    openapi_extra={"responses": {200: {"description": "The file, or the records of a CSV file."}}},
)
def get_result(
    request: HttpRequest, simulation_id: str, result_filename: str, download: bool = False
) -> HttpResponseBase:
    """Serve a result file. CSV comes as an array of records, any file as it is with `download`."""
    run_dir = folder.run_dir(selectors.simulation(simulation_id).simulation_id)
    opened = result_files.open_file(run_dir, result_filename)
    if result_filename.lower().endswith(".csv") and not download:
        return records_response(opened)
    name = PurePosixPath(result_filename).name
    content_type = result_files.content_type(name)
    return file_response(opened, content_type, name, as_attachment=download)
