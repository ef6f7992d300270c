"""The product on a real cluster: KEDA, kubelet and containers, Karpenter, Helm, against emulated AWS."""
