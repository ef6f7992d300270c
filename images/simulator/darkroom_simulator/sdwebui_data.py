"""What AUTOMATIC1111 v1.10.1 was recorded to have: defaults of requests and options, names of choices."""

from typing import Any

VERSION = "v1.10.1"

_SHARED: dict[str, Any] = {
    "prompt": "",
    "negative_prompt": "",
    "styles": None,
    "seed": -1,
    "subseed": -1,
    "subseed_strength": 0,
    "seed_resize_from_h": -1,
    "seed_resize_from_w": -1,
    "sampler_name": None,
    "scheduler": None,
    "batch_size": 1,
    "n_iter": 1,
    "steps": 50,
    "cfg_scale": 7.0,
    "width": 512,
    "height": 512,
    "restore_faces": None,
    "tiling": None,
    "do_not_save_samples": False,
    "do_not_save_grid": False,
    "eta": None,
    "denoising_strength": None,
    "s_min_uncond": None,
    "s_churn": None,
    "s_tmax": None,
    "s_tmin": None,
    "s_noise": None,
    "override_settings": None,
    "override_settings_restore_afterwards": True,
    "refiner_checkpoint": None,
    "refiner_switch_at": None,
    "disable_extra_networks": False,
    "firstpass_image": None,
    "comments": None,
}
_LAST: dict[str, Any] = {
    "script_name": None,
    "script_args": [],
    "send_images": True,
    "save_images": False,
    "alwayson_scripts": {},
    "infotext": None,
}
TXT2IMG: dict[str, Any] = {
    **_SHARED,
    "enable_hr": False,
    "firstphase_width": 0,
    "firstphase_height": 0,
    "hr_scale": 2.0,
    "hr_upscaler": None,
    "hr_second_pass_steps": 0,
    "hr_resize_x": 0,
    "hr_resize_y": 0,
    "hr_checkpoint_name": None,
    "hr_sampler_name": None,
    "hr_scheduler": None,
    "hr_prompt": "",
    "hr_negative_prompt": "",
    "force_task_id": None,
    "sampler_index": "Euler",
    **_LAST,
}
IMG2IMG: dict[str, Any] = {
    **_SHARED,
    "init_images": None,
    "resize_mode": 0,
    "image_cfg_scale": None,
    "mask": None,
    "mask_blur_x": 4,
    "mask_blur_y": 4,
    "mask_blur": None,
    "mask_round": True,
    "inpainting_fill": 0,
    "inpaint_full_res": True,
    "inpaint_full_res_padding": 0,
    "inpainting_mask_invert": 0,
    "initial_noise_multiplier": None,
    "latent_mask": None,
    "force_task_id": None,
    "sampler_index": "Euler",
    "include_init_images": False,
    **_LAST,
}

# Types that pydantic checks, with its words.
_INTEGERS = ("steps", "width", "height", "batch_size", "n_iter", "seed", "subseed", "seed_resize_from_h", "resize_mode")
_NUMBERS = ("cfg_scale", "denoising_strength", "eta", "subseed_strength", "hr_scale")
TYPES: dict[str, tuple[type | tuple[type, ...], str, str]] = {
    **dict.fromkeys(_INTEGERS, (int, "value is not a valid integer", "type_error.integer")),
    **dict.fromkeys(_NUMBERS, ((int, float), "value is not a valid float", "type_error.float")),
    **dict.fromkeys(("override_settings", "alwayson_scripts"), (dict, "value is not a valid dict", "type_error.dict")),
    **dict.fromkeys(("init_images", "script_args", "styles"), (list, "value is not a valid list", "type_error.list")),
    **dict.fromkeys(("prompt", "negative_prompt", "sampler_name"), (str, "str type expected", "type_error.str")),
}

OPTIONS: dict[str, Any] = {
    "samples_format": "png",
    "return_grid": False,
    "grid_only_if_multiple": True,
    "jpeg_quality": 80,
    "CLIP_stop_at_last_layers": 1,
    "sd_checkpoints_limit": 1,
    "sd_vae": "Automatic",
    "sd_unet": "Automatic",
    "eta_noise_seed_delta": 0,
}

SAMPLERS: dict[str, list[str]] = {
    "DPM++ 2M": ["k_dpmpp_2m"],
    "DPM++ SDE": ["k_dpmpp_sde"],
    "DPM++ 2M SDE": ["k_dpmpp_2m_sde"],
    "DPM++ 2M SDE Heun": ["k_dpmpp_2m_sde_heun"],
    "DPM++ 2S a": ["k_dpmpp_2s_a"],
    "DPM++ 3M SDE": ["k_dpmpp_3m_sde"],
    "Euler a": ["k_euler_a", "k_euler_ancestral"],
    "Euler": ["k_euler"],
    "LMS": ["k_lms"],
    "Heun": ["k_heun"],
    "DPM2": ["k_dpm_2"],
    "DPM2 a": ["k_dpm_2_a"],
    "DPM fast": ["k_dpm_fast"],
    "DPM adaptive": ["k_dpm_ad"],
    "Restart": ["restart"],
    "DDIM": ["ddim"],
    "DDIM CFG++": ["ddim_cfgpp"],
    "PLMS": ["plms"],
    "UniPC": ["unipc"],
    "LCM": ["k_lcm"],
}
SCHEDULERS: dict[str, str] = {
    "automatic": "Automatic",
    "uniform": "Uniform",
    "karras": "Karras",
    "exponential": "Exponential",
    "polyexponential": "Polyexponential",
    "sgm_uniform": "SGM Uniform",
    "kl_optimal": "KL Optimal",
    "align_your_steps": "Align Your Steps",
    "simple": "Simple",
    "normal": "Normal",
    "ddim": "DDIM",
    "beta": "Beta",
}
UPSCALERS = (
    "None",
    "Lanczos",
    "Nearest",
    "DAT x2",
    "DAT x3",
    "DAT x4",
    "ESRGAN_4x",
    "LDSR",
    "R-ESRGAN 4x+",
    "R-ESRGAN 4x+ Anime6B",
    "ScuNET GAN",
    "ScuNET PSNR",
    "SwinIR 4x",
)
EMPTY_LISTS = ("extensions", "hypernetworks", "loras", "prompt-styles", "sd-vae")
SCRIPTS = ("controlnet", "refiner", "seed", "sampler", "x/y/z plot")

# Parts of `info` that are always the same here.
INFO: dict[str, Any] = {
    "restore_faces": False,
    "face_restoration_model": None,
    "sd_model_hash": None,
    "sd_vae_name": None,
    "sd_vae_hash": None,
    "seed_resize_from_w": -1,
    "seed_resize_from_h": -1,
    "styles": [],
    "is_using_inpainting_conditioning": False,
}
# Those flags that tell how the server was started.
COMMAND_FLAGS: dict[str, Any] = {"api": True, "nowebui": True, "listen": False, "port": "7860", "api_auth": None}
