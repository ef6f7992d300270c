{{/* The pod's volumes, and how the models' is made. */}}

{{- define "darkroom.volumes" -}}
{{- $v := .Values -}}
- name: marks
  emptyDir: {sizeLimit: 1Mi}
- name: shared-memory
  emptyDir: {medium: Memory, sizeLimit: {{ $v.runtime.sharedMemory }}}
- name: scratch
  emptyDir: {{ $v.runtime.scratch | empty | ternary (dict) (dict "sizeLimit" $v.runtime.scratch) | toJson }}
- name: agent-scratch
  emptyDir: {sizeLimit: 1Gi}
{{- if include "darkroom.asksKubernetes" . }}
- name: token
  projected:
    sources:
      - serviceAccountToken: {path: token, expirationSeconds: 3607}
      - configMap: {name: kube-root-ca.crt, items: [{key: ca.crt, path: ca.crt}]}
{{- end }}
{{- if ne $v.models.mode "none" }}
- name: models
  persistentVolumeClaim:
    claimName: {{ eq $v.models.mode "claim" | ternary $v.models.claimName (include "darkroom.modelsName" .) }}
    readOnly: true
{{- end }}
{{- if $v.runtime.files }}
- name: files
  configMap: {name: {{ include "darkroom.name" . }}-files}
{{- end }}
{{- with $v.pod.volumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* A key of a config map has no slashes; the digest keeps files of the same name apart. */}}
{{- define "darkroom.fileKey" -}}
{{ sha256sum . | trunc 8 }}-{{ base . | replace " " "_" }}
{{- end }}

{{/*
Name of the models' volume and claim. Neither can be changed once it is there: the name holds a digest of what they are,
so that another bucket or option makes new ones, and pods move over.
*/}}
{{- define "darkroom.modelsName" -}}
{{ include "darkroom.name" . }}-models-{{ list .Release.Namespace (include "darkroom.modelsOptions" .) (include "darkroom.modelsAttributes" .) | toJson | sha256sum | trunc 8 }}
{{- end }}

{{- define "darkroom.modelsOptions" -}}
- read-only
# Pods are not root, and not the user who mounts.
- allow-other
- region {{ .Values.aws.region }}
{{- with .Values.models.prefix }}
- prefix {{ . }}
{{- end }}
{{- with .Values.models.mountOptions }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "darkroom.modelsAttributes" -}}
bucketName: {{ .Values.models.bucket }}
{{- with .Values.models.cache }}
{{- if .sizeLimit }}
cache: emptyDir
cacheEmptyDirSizeLimit: {{ .sizeLimit }}
{{- if eq .medium "memory" }}
cacheEmptyDirMedium: Memory
{{- end }}
{{- end }}
{{- end }}
{{- end }}
