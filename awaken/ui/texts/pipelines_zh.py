"""What the pipelines of diffusers say of themselves, in Chinese; part of ``models_zh.MODELS``."""

from __future__ import annotations

PIPELINES: dict[str, str] = {
    "A video model of 2025 for one large GPU: 720p, the painting is its first frame.":
    "2025 年的视频模型，一块大显卡即可：720p，画作就是第一帧。",
    "Small and quick for its length. The painting is its first frame; its latent frames are eight "
    "frames each, so the method wants a long video.":
    "小，按长度算也快。画作就是第一帧；它的一个潜变量帧管八帧，所以方法需要较长的视频。",
    "The later LTX-Video. Few of its steps are at the noise levels that distil: take many steps.":
    "较新的 LTX-Video。它只有少数步落在蒸馏所用的噪声级别：步数请多些。",
    "Stable Diffusion 1.5 with a motion adapter; a small control network shows it the painting. "
    "Named in the paper, and the paper's own noise levels.":
    "Stable Diffusion 1.5 加上运动适配器；一个小的控制网络把画作给它看。论文中提到过，噪声级别也同论文。",
    "Two networks of 14 billion parameters, one for the layout and one for the detail.":
    "两个 140 亿参数的网络，一个管布局，一个管细部。",
    "The Wan before: it sees the painting through CLIP as well.":
    "前一代 Wan：它还通过 CLIP 看画作。",
    "8 billion parameters; it chooses the one of its own sizes whose shape is nearest.":
    "80 亿参数；在自己的尺寸中选形状最接近的一个。",
    "5 billion parameters; its smaller side wants 768 pixels.":
    "50 亿参数；短边需要 768 像素。",
    "The smallest of Wan's family that is given a picture and words.":
    "Wan 一族中最小的、既看图片又读文字的模型。",
    "By VideoComposer's makers, whom the paper names. A peak of alpha of 7 keeps its first updates "
    "below the mark.":
    "出自 VideoComposer 的作者，论文中提到过。把 α 峰值设为 7，最初几步就不会过冲。",
    "Takes no words: the prompt acts through the proxy image alone. Few of its steps are at the noise "
    "levels that distil: 50 steps help.":
    "不读文字：提示词只通过代理图像起作用。它只有少数步落在蒸馏所用的噪声级别：用 50 步会好些。",
    "A motion adapter on Stable Diffusion 1.5 that is given the painting, with a dial of motion.":
    "Stable Diffusion 1.5 上的运动适配器，直接给它看画作，带运动强度旋钮。",
    "Linear attention: long videos cost little more. The painting is its first frame.":
    "线性注意力：视频长一些也不多费。画作就是第一帧。",
    "19 billion parameters for video and sound; here the video alone, without sound.":
    "190 亿参数，生成视频与声音；这里只用视频，没有声音。",
    "{size} to download, a GPU with {memory} ({less} layer by layer).":
    "下载 {size}，显卡需 {memory}（逐层载入则需 {less}）。",
    "{size} to download, a GPU with {memory} ({less} in 8 bits).":
    "下载 {size}，显卡需 {memory}（用 8 位保存则需 {less}）。",
    "{size} to download, with an account; a GPU with {memory}.":
    "下载 {size}，需要账户；显卡需 {memory}。",
    "Hold on the painting": "对画作的坚持",
    "How much the control network says.": "控制网络有多大的影响。",
    "Frame rate it imagines": "它设想的帧率",
    "Lower moves more.": "越低，动得越多。",
    "Noise on the painting": "给画作加的噪声",
    "More lets it move away further.": "越多，离原画可以越远。",
    "Draft": "草稿",
    "0 is exact. Quicker and less exact: {kinds}.": "0 为精确。更快但不那么精确：{kinds}。",
    "1 Taylor series": "1 泰勒级数",
    "2 attention broadcast": "2 注意力沿用",
    "3 first block": "3 首个模块",
    "not stated on the model pages (code Apache-2.0); its base: OpenRAIL-M":
    "模型页面未注明（代码为 Apache-2.0）；其基础：OpenRAIL-M",
    "LTX-Video open weights (RAIL type, limits of use)": "LTX-Video 开放权重（RAIL 类，用途有限制）",
    "Open RAIL-M (commercial use allowed, limits of use)": "Open RAIL-M（允许商用，用途有限制）",
    "Tencent Hunyuan Community: not in the European Union, the United Kingdom and South Korea":
    "腾讯混元社区许可：不适用于欧盟、英国和韩国",
    "CogVideoX: free for research, commercial use by registration":
    "CogVideoX 许可：研究免费，商用须登记",
    "Skywork Community (commercial use on its terms)": "Skywork 社区许可（可按其条款商用）",
    "Stable Video Diffusion Community: research and non-commercial use; commercial use on its terms":
    "Stable Video Diffusion 社区许可：研究与非商业用途；商用按其条款",
    "Apache-2.0; its base: OpenRAIL-M": "Apache-2.0；其基础：OpenRAIL-M",
    "NVIDIA's licence of the Sana family: research, non-commercial":
    "NVIDIA 的 Sana 系列许可：研究、非商业用途",
    "LTX-2 Community: free for those who earn less than 10 million dollars a year":
    "LTX-2 社区许可：年收入不到一千万美元者免费",
    "it works on {base}: {why}": "它以 {base} 为基础：{why}",
    "{title}: its parts take turns on the GPU, for they do not fit there together; slower.":
    "{title}：各部分轮流进显存，因为一起放不下；会慢一些。",
    "{title}: its parts take turns on the GPU and its largest networks are kept in 8 bits, for they "
    "do not fit otherwise; slower, and a little less exact.":
    "{title}：各部分轮流进显存，最大的网络用 8 位保存，否则放不下；会慢一些，也略不精确。",
    "{title}: its layers are brought to the GPU one group after the other, for its networks do not "
    "fit there; much slower.":
    "{title}：一组一组地把各层送进显存，因为整个网络放不下；会慢得多。",
    "{folder} names {name}, which this demo does not run: it draws noise of its own or works in "
    "another way. Put the scheduler_config.json of the release back.":
    "{folder} 中写的是 {name}，本演示不支持：它自己会加噪声，或用别的方式工作。请放回原发布中的 "
    "scheduler_config.json。",
    "{title} ended without a step of its scheduler.": "{title} 没有走到调度器的一步就结束了。",
    "{title} makes videos of 16 n + 1 frames.": "{title} 生成 16 n + 1 帧的视频。",
}  # fmt: skip
