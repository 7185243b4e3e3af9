"""What no schema knows: whether manifests fit together, and whether each container is locked in.

Reads the files that are named and prints one line for each fault. Exit status: 0 none, 1 some.
"""

import sys

import yaml

documents = [
    (path, document)
    for path in sys.argv[1:]
    for document in yaml.safe_load_all(open(path, encoding="utf-8"))
    if document
]
faults = []


def check(is_right, path, document, text):
    if not is_right:
        faults.append(f"{path}: {document['kind']} {document['metadata']['name']}: {text}")


def names(kind):
    return {document["metadata"]["name"] for _, document in documents if document["kind"] == kind}


def workload(path, document, template):
    def expect(is_right, text):
        check(is_right, path, document, text)

    spec = template["spec"]
    pod = spec.get("securityContext", {})
    expect(pod.get("runAsNonRoot") and pod.get("runAsUser", 0) > 0, "runs as root")
    expect(pod.get("seccompProfile", {}).get("type") == "RuntimeDefault", "has no seccomp profile")
    expect(spec.get("enableServiceLinks") is False, "gets ASSAY_ variables of Services, which the node refuses")
    expect(spec.get("automountServiceAccountToken") is False, "is given a token of the cluster")
    claims = {claim["metadata"]["name"] for claim in document["spec"].get("volumeClaimTemplates", [])}
    volumes = {volume["name"] for volume in spec.get("volumes", [])} | claims
    for volume in spec.get("volumes", []):
        claim = volume.get("persistentVolumeClaim", {}).get("claimName")
        expect(claim is None or claim in names("PersistentVolumeClaim"), f"there is no claim {claim}")
        if names("Secret"):
            config, secret = volume.get("configMap", {}).get("name"), volume.get("secret", {}).get("secretName")
            expect(config is None or config in names("ConfigMap"), f"render makes no ConfigMap {config}")
            expect(secret is None or secret in names("Secret"), f"render makes no Secret {secret}")
    for container in spec["containers"]:
        own = container.get("securityContext", {})
        expect(own.get("readOnlyRootFilesystem") is True, "its root can be written")
        expect(own.get("allowPrivilegeEscalation") is False, "may gain privileges")
        expect("ALL" in own.get("capabilities", {}).get("drop", []), "has capabilities")
        expect({"cpu", "memory"} <= set(container.get("resources", {}).get("limits", {})), "has no limits")
        for mount in container.get("volumeMounts", []):
            expect(mount["name"] in volumes, f"mounts {mount['name']}, which is no volume")
        declared = {variable["name"] for variable in container.get("env", [])}
        texts = container.get("args", []) + [m.get("subPathExpr", "") for m in container.get("volumeMounts", [])]
        for text in texts:
            used = text.partition("$(")[2].partition(")")[0]
            expect(not used or used in declared, f"uses $({used}), which is no variable")
    if document["kind"] == "StatefulSet":
        labels, selector = template["metadata"]["labels"], document["spec"]["selector"]["matchLabels"]
        expect(selector.items() <= labels.items(), "selects other pods than its own")
        expect(document["spec"]["serviceName"] in names("Service"), "its Service is missing")
        container = spec["containers"][0]
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            expect(container.get(probe, {}).get("exec"), f"has no {probe}")


for path, document in documents:
    check("namespace" not in document["metadata"], path, document, "names a namespace")
    template = document.get("spec", {}).get("template")
    if template:
        workload(path, document, template)
    if document["kind"] == "Service":
        labels = [
            other["spec"]["template"]["metadata"]["labels"]
            for _, other in documents
            if other["kind"] == "StatefulSet"
        ]
        fits = any(document["spec"]["selector"].items() <= each.items() for each in labels)
        check(fits, path, document, "selects no pod")

for fault in faults:
    print(fault)
sys.exit(1 if faults else 0)
