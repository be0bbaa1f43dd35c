"""Cloud Storage on 127.0.0.1: the JSON API that google-cloud-storage speaks, over plain files."""

from starlette.routing import BaseRoute, Route

from vertex_emulator.storage.dispatch import serve
from vertex_emulator.storage.xml_uploads import MultipartRoute, serve_xml

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]

routes: list[BaseRoute] = [
    Route("/storage/v1/{rest:path}", serve, methods=_METHODS),
    Route("/upload/storage/v1/{rest:path}", serve, methods=_METHODS),
    Route("/download/storage/v1/{rest:path}", serve, methods=_METHODS),
    Route("/batch/storage/v1", serve, methods=_METHODS),
    MultipartRoute("/{bucket}/{rest:path}", serve_xml, methods=["POST", "PUT", "DELETE"]),
]
