"""The queue and the history of the imagined ComfyUI as `/api/jobs` tells them (since about 0.5.1)."""

from typing import Any

from .comfyui_queue import PromptQueue


def job_of(queue: PromptQueue, prompt_id: str) -> dict[str, Any] | None:
    """A prompt as `/api/jobs` tells it, or None."""
    running = queue.running
    waiting = next((item for item in queue.pending if item.prompt_id == prompt_id), None)
    item = running if running is not None and running.prompt_id == prompt_id else waiting
    if item is not None:
        status = "pending" if item is waiting else "in_progress"
        counts = {"outputs_count": 0, "previewable_outputs_count": 0}
        return {"id": prompt_id, "status": status, "priority": item.number, "create_time": item.created, **counts}
    entry = queue.history.get(prompt_id)
    return None if entry is None else _finished_job(prompt_id, entry)


def _finished_job(prompt_id: str, entry: dict[str, Any]) -> dict[str, Any]:
    times = {kind: data.get("timestamp") for kind, data in entry["status"]["messages"]}
    interrupted = "execution_interrupted" in times
    done = entry["status"]["status_str"] == "success"
    files = [file for output in entry["outputs"].values() for items in output.values() for file in items]
    return {
        "id": prompt_id,
        "status": "completed" if done else "cancelled" if interrupted else "failed",
        "priority": entry["prompt"][0],
        "create_time": entry["prompt"][3]["create_time"],
        "execution_start_time": times.get("execution_start"),
        "execution_end_time": max(time for time in times.values() if time is not None),
        "outputs_count": len(files),
        "previewable_outputs_count": len(files),
        "outputs": entry["outputs"],
        "execution_status": entry["status"],
    }
