"""Reads container events with grpcio. Prints a line for each event and status, which the driver checks.

usage: client.py SOCKET NAME RESUME_FROM [EPOCH]
"""

import sys

import grpc
import runtime_pb2
import runtime_pb2_grpc


def say(*words):
    print(*words, flush=True)


def main():
    socket, name, resume_from, *epoch = sys.argv[1:]
    # By default grpcio sends the path of a Unix socket as the authority, which is not a valid one.
    options = [("grpc.default_authority", "localhost")]
    with grpc.insecure_channel(f"unix:{socket}", options=options) as channel:
        stub = runtime_pb2_grpc.RuntimeServiceStub(channel)
        stub.Version(runtime_pb2.VersionRequest(version="v1"), timeout=10)
        metadata = [("seqcast-name", name), ("seqcast-resume-from", resume_from)]
        metadata += [("seqcast-epoch", value) for value in epoch]
        events = stub.GetContainerEvents(runtime_pb2.GetEventsRequest(), metadata=metadata)
        try:
            header = dict(events.initial_metadata())
            say("opened", header["seqcast-epoch"], header["seqcast-start"])
            for event in events:
                numbers = event.pod_sandbox_status.annotations["event"]
                say("event", event.sequence, event.missed, event.container_id, event.container_event_type, numbers)
        except grpc.RpcError as error:
            trailer = dict(error.trailing_metadata() or ())
            where = trailer.get("seqcast-resume-from", "-"), trailer.get("seqcast-missed", "-")
            say("ended", error.code().name, *where, error.details())


main()
