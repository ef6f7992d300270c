{{/* Numbers that follow from the values. */}}

{{/* What each type brings: port and the path that answers 200 once it can work. */}}
{{- define "darkroom.types" -}}
sdwebui: {port: 7860, path: /sdapi/v1/options}
comfyui: {port: 8188, path: /queue}
openai: {port: 8000, path: /v1/models}
{{- end }}

{{- define "darkroom.port" -}}
{{- $type := get (include "darkroom.types" . | fromYaml) .Values.runtime.type | default dict }}
{{- .Values.runtime.port | default $type.port | default 8080 | int64 }}
{{- end }}

{{- define "darkroom.readyPath" -}}
{{- $type := get (include "darkroom.types" . | fromYaml) .Values.runtime.type | default dict }}
{{- .Values.runtime.readyPath | default $type.path | default "/" }}
{{- end }}

{{/* The agent's time to leave: the longest job, then to interrupt one that is longer, to store and to give back. */}}
{{- define "darkroom.graceSeconds" -}}
{{- $interrupt := get .Values.agent.settings "INTERRUPT_SECONDS" | default "30" | float64 | ceil | int64 }}
{{- add (int64 .Values.jobs.maxSeconds) $interrupt 25 }}
{{- end }}

{{/* The pod's: the runtime is told once the agent has left, and has time of its own. */}}
{{- define "darkroom.podGraceSeconds" -}}
{{- add (include "darkroom.graceSeconds" . | int64) 15 }}
{{- end }}

{{/* Jobs that one pod does within the wait: KEDA's queueLength. Takes (list seconds root). */}}
{{- define "darkroom.queueLength" -}}
{{- $values := (index . 1).Values }}
{{- $jobs := divf (mulf (index . 0) $values.runtime.concurrency) $values.scaling.jobSeconds }}
{{- max 1 (floor $jobs | int64) }}
{{- end }}

{{/* The accelerators that so many pods take, as a resource list; nothing on the CPU. Takes (list pods root). */}}
{{- define "darkroom.accelerators" -}}
{{- with (index . 1).Values.runtime.accelerator }}
{{- if .count }}
{{ .resource }}: {{ mul (int64 .count) (index $ 0) | quote }}
{{- end }}
{{- end }}
{{- end }}
