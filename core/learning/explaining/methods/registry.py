"""All methods by their ids, with their papers."""

from __future__ import annotations

from collections.abc import Mapping

from core.learning.explaining.methods import baselines, gradients, perturbations
from core.learning.explaining.methods.scene import Cost, Method

METHODS: Mapping[str, Method] = {
    "grad-cam": Method(
        "Grad-CAM",
        "Σ over channels of (mean gradient × activation)",
        "Selvaraju et al. (2017), ICCV, doi:10.1109/ICCV.2017.74",
        Cost.ONE_PASS,
        gradients.grad_cam,
    ),
    "cam": Method(
        "CAM",
        "Σ over channels of (weight of the linear head × activation)",
        "Zhou et al. (2016), CVPR, doi:10.1109/CVPR.2016.319",
        Cost.ONE_PASS,
        gradients.cam,
        needs_linear_head=True,
    ),
    "grad-cam++": Method(
        "Grad-CAM++",
        "Σ over channels of (Σ α · positive gradient) × activation, α = g² / (2 g² + g³ ΣA)",
        "Chattopadhay et al. (2018), WACV, doi:10.1109/WACV.2018.00097",
        Cost.ONE_PASS,
        gradients.grad_cam_plus_plus,
    ),
    "xgrad-cam": Method(
        "XGrad-CAM",
        "Σ over channels of (Σ gradient · activation / Σ activation) × activation",
        "Fu et al. (2020), BMVC, arXiv:2008.02312",
        Cost.ONE_PASS,
        gradients.x_grad_cam,
    ),
    "hirescam": Method(
        "HiResCAM",
        "Σ over channels of (gradient × activation)",
        "Draelos & Carin (2020), arXiv:2011.08891",
        Cost.ONE_PASS,
        gradients.hires_cam,
    ),
    "layercam": Method(
        "LayerCAM",
        "Σ over channels of (positive gradient × activation)",
        "Jiang et al. (2021), IEEE TIP, doi:10.1109/TIP.2021.3089943",
        Cost.ONE_PASS,
        gradients.layer_cam,
    ),
    "eigen-cam": Method(
        "Eigen-CAM",
        "first principal component of the activation; asks for no class",
        "Muhammad & Yeasin (2020), IJCNN, doi:10.1109/IJCNN48605.2020.9206626",
        Cost.ONE_PASS,
        gradients.eigen_cam,
    ),
    "eigengrad-cam": Method(
        "EigenGrad-CAM",
        "first principal component of gradient × activation",
        "Gildenblat (2021), after Muhammad & Yeasin (2020), doi:10.1109/IJCNN48605.2020.9206626",
        Cost.ONE_PASS,
        gradients.eigen_grad_cam,
    ),
    "finer-cam": Method(
        "Finer-CAM",
        "Grad-CAM of the margin between the class and a similar one",
        "Zhang et al. (2025), CVPR, arXiv:2501.11309",
        Cost.ONE_PASS,
        gradients.finer_cam,
    ),
    "score-cam": Method(
        "Score-CAM",
        "Σ over channels of softmax(score with only this channel's area shown) × activation",
        "Wang et al. (2020), CVPRW, doi:10.1109/CVPRW50498.2020.00020",
        Cost.MANY_PASSES,
        perturbations.score_cam,
    ),
    "ablation-cam": Method(
        "Ablation-CAM",
        "Σ over channels of (relative drop of the score without the channel) × activation",
        "Desai & Ramaswamy (2020), WACV, doi:10.1109/WACV45572.2020.9093360",
        Cost.MANY_PASSES,
        perturbations.ablation_cam,
    ),
    "occlusion": Method(
        "Occlusion sensitivity",
        "drop of the score while a grey window hides the place: a sixth of the short side, moved "
        "by half of itself; finer than that it says nothing",
        "Zeiler & Fergus (2014), ECCV, doi:10.1007/978-3-319-10590-1_53",
        Cost.MANY_PASSES,
        perturbations.occlusion,
        needs_answers_only=True,
    ),
    "integrated-gradients": Method(
        "Integrated gradients",
        "input × mean gradient on the way from the mean grey level to the input",
        "Sundararajan et al. (2017), ICML, arXiv:1703.01365",
        Cost.MANY_PASSES,
        perturbations.integrated_gradients,
    ),
    "random": Method(
        "Random (baseline)",
        "noise; what any method must beat",
        "Adebayo et al. (2018), NeurIPS, arXiv:1810.03292",
        Cost.NONE,
        baselines.random,
        is_baseline=True,
        needs_answers_only=True,
    ),
    "sobel": Method(
        "Sobel (baseline)",
        "edges of the micrograph; knows nothing of the network",
        "Adebayo et al. (2018), NeurIPS, arXiv:1810.03292",
        Cost.NONE,
        baselines.sobel,
        is_baseline=True,
        needs_answers_only=True,
    ),
}
# For networks that answer only, and what only transformers allow.
FURTHER: Mapping[str, Method] = {
    "rise": Method(
        "RISE",
        "mean of the score while a random coarse mask shows a part, at what the mask shows",
        "Petsiuk, Das & Saenko (2018), BMVC, arXiv:1806.07421",
        Cost.MANY_PASSES,
        perturbations.rise,
        needs_answers_only=True,
    ),
    "fine": Method(
        "Fine view",
        "positive integrated gradients (8 steps, blurred by 2 px) × positive Grad-CAM",
        "after Sundararajan et al. (2017), arXiv:1703.01365, and Selvaraju et al. (2017), "
        "doi:10.1109/ICCV.2017.74",
        Cost.MANY_PASSES,
        perturbations.fine_view,
    ),
    "brightness": Method(
        "Brightness (baseline)",
        "the input's own grey levels; knows nothing of the network",
        "what pointing and energy can be won with where objects are brighter than the ground",
        Cost.NONE,
        baselines.brightness,
        is_baseline=True,
        needs_answers_only=True,
    ),
    "contrast": Method(
        "|Input| (baseline)",
        "distance of the grey levels from their mean; knows nothing of the network",
        "the factor by which integrated gradients multiply",
        Cost.NONE,
        baselines.contrast,
        is_baseline=True,
        needs_answers_only=True,
    ),
    "random-contrast": Method(
        "Random × |input| (baseline)",
        "noise × distance of the grey levels from their mean",
        "what is left of a map when the network's share in it is drawn at random",
        Cost.NONE,
        baselines.random_contrast,
        is_baseline=True,
        needs_answers_only=True,
    ),
    "attention-rollout": Method(
        "Attention rollout",
        "product over the blocks of a transformer of (mean attention + identity) / 2; asks for no "
        "class",
        "Abnar & Zuidema (2020), ACL, arXiv:2005.00928",
        Cost.ONE_PASS,
        gradients.attention_rollout,
        needs_attention=True,
    ),
}
EVERY_METHOD: Mapping[str, Method] = {**METHODS, **FURTHER}
ONE_PASS = tuple(name for name, method in METHODS.items() if method.cost is Cost.ONE_PASS)
BASELINES = tuple(name for name, method in METHODS.items() if method.is_baseline)
