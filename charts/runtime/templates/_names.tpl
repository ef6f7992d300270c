{{/* What objects are called, and how they are found. Nothing is cut: a name that were cut could meet another. */}}

{{- define "darkroom.name" -}}
{{ .Values.runtime.name | default .Release.Name }}
{{- end }}

{{- define "darkroom.serviceAccount" -}}
{{ .Values.serviceAccount.name | default (include "darkroom.name" .) }}
{{- end }}

{{/* What selects pods of the release; a component joins it. It never changes: selectors are immutable. */}}
{{- define "darkroom.selector" -}}
app.kubernetes.io/name: darkroom-runtime
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "darkroom.labels" -}}
{{ include "darkroom.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: darkroom
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
darkroom/runtime: {{ include "darkroom.name" . }}
{{- end }}

{{/* An image by digest, else by tag. Takes (list image defaultRepository root). */}}
{{- define "darkroom.image" -}}
{{- $image := index . 0 }}
{{- $repository := $image.repository | default (index . 1) }}
{{- if $image.digest -}}
{{ $repository }}@{{ $image.digest }}
{{- else -}}
{{ $repository }}:{{ $image.tag | default (index . 2).Chart.AppVersion }}
{{- end }}
{{- end }}

{{- define "darkroom.runtimeImage" -}}
{{ include "darkroom.image" (list .Values.runtime.image (printf "darkroom/%s" .Values.runtime.type) .) }}
{{- end }}

{{- define "darkroom.agentImage" -}}
{{ include "darkroom.image" (list .Values.agent.image "darkroom/agent" .) }}
{{- end }}
