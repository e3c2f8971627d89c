"""Why a setting of some program is left out."""

from __future__ import annotations

DISPLAY = "is about the program's own display and files"
MOTION = "moves the picture between steps; write `film` and the edit `camera`"
REASONS = {
    **dict.fromkeys(("display_every", "save_every", "clear_every", "display_scale", "output", "outdir", "file_namespace",
                     "allow_overwrite", "save_progress", "open_folder", "save_date_time", "overwrite", "batch_name",
                     "display_rate", "show_graphs", "backups", "approximate_vram_usage", "name_docarray", "make_video",
                     "save_gif", "save_video", "save_dir", "intermediate_saves", "models_parent_dir", "defaults",
                     "save_intervals", "show_palette", "display_clear", "keep_unsharp", "video_length", "output_video_fps",
                     "input_video_fps", "cuda_device", "gif_fps", "gif_size_ratio", "image_output", "save_rate",
                     "on_misspelled_token"), DISPLAY),
    **dict.fromkeys(("translate_x", "translate_y", "translate_z_3d", "rotate_3d", "rotate_2d", "zoom_x_2d", "zoom_y_2d",
                     "make_zoom_video", "zoom_start", "zoom_frequency", "zoom_scale", "zoom_shift_x", "zoom_shift_y",
                     "field_of_view", "near_plane", "far_plane", "lock_camera", "sampling_mode", "infill_mode", "angle",
                     "zoom", "translation_x", "translation_y", "translation_z", "rotation_3d_x", "rotation_3d_y",
                     "rotation_3d_z", "pre_animation_steps", "steps_per_frame", "key_frames", "max_frames"), MOTION),
    **dict.fromkeys(("diffusion_model", "use_secondary_model", "diffusion_sampling_mode", "eta", "clip_denoised",
                     "randomize_class", "skip_steps", "clamp_grad", "clamp_max", "diffusion_model_config", "vdiff_model",
                     "vdiff_schedule", "vdiff_skip", "rand_mag", "transformation_percent", "timestep_respacing", "diffusion_steps", "clip_guidance_scale"),
                    "belongs to diffusion, which this recipe does not use"),
    **dict.fromkeys(("max_classes", "class_temperature", "num_classes", "larger_clip", "experimental_resample"),
                    "belongs to BigGAN, for which pixforge has no generator"),
    **dict.fromkeys(("gradient_accumulation_steps", "gradient_accumulate_every", "batches", "cutn_batches"),
                    "only saves memory there; `chunk: auto` does that here"),
    **dict.fromkeys(("palettes", "palette_size", "target_palette", "lock_palette"),
                    "belongs to pytti's Limited Palette: write generator: {type: palette}, with `palettes`, `size`, "
                    "`colors` and `lock`"),
    **dict.fromkeys(("gamma", "hdr_weight", "palette_normalization_weight", "random_initial_palette"),
                    "belongs to pytti's Limited Palette: the generator `palette` with `gamma` and `spread`, and the losses "
                    "`palette_hdr` and `palette_normalization`"),
    "transparent": "write generator: {type: pixels, alpha: true}, or fourier, with the loss `opacity`",
    **dict.fromkeys(("fft_use", "fft_decay"), "belongs to the drawer fft; here to the generators `fourier` and `wavelet`"),
    **dict.fromkeys(("fft_wave", "fft_sharp"), "belongs to fft_use: dwt, which is the generator `wavelet` here"),
    "prompt_frequency": "write `scenes`, each with its seconds and prompts",
    "steps_per_scene": "write `scenes`, each with its seconds and prompts",
    "interpolation_steps": "write `fade` in each of the `scenes`",
    "video_style_dir": "write `film` and the edit `video`, whose `video` may be the first picture of a folder",
    "n_batches": "run the recipe again with other seeds: pixforge run RECIPE --seed N",
    "init_image_alpha": "belongs to an init image; there it is `init.opacity`, from 0 to 1",
    "animation_mode": MOTION,
    **dict.fromkeys(("video_path", "frame_stride", "reencode_each_frame", "flow_long_term_samples", "video_init_path",
                     "extract_nth_frame"),
                    "write `film` and the edit `video`, with its `video`, `stride` and `blend`"),
    **dict.fromkeys(("frames_per_second", "fps"), "write film: {fps: 12}"),
    "reset_lr_each_frame": "write optimizer: {reset: frame} in a film",
    **dict.fromkeys(("wallpaper_type", "wallpaper_edge_match", "lookup_beta"), "belongs to a filter that is not used"),
    **dict.fromkeys(("smoothness_type", "smoothness_weight", "edge_color", "edge_thickness", "edge_margins", "palette_weight",
                     "edge_color_weight", "global_color_weight", "saturation_weight", "symmetry_weight"),
                    "belongs to a loss that is not used"),
    "init_scale": "the loss `target` with distance: features does what it is for, in other units",
    "clip_models_schedules": "a perceptor's `weight` may be a schedule",
    "pixel_size": "belongs to the drawer pixel, which is the generator `pixels` here",
    "smoothing_weight": "is pytti's; here it is the loss total_variation",
    "seed": "is not a plain number",
}  # fmt: skip
"""Why a setting of some program is left out."""
