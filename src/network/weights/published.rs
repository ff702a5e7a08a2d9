//! Weights that others have published for the networks here: trained on ImageNet, and CLIP.
//!
//! Every digest was published by others and none computed here. torchvision's file names carry the
//! first eight digits of theirs; where no more is known, no more is claimed or checked.

/// A file that can be downloaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    /// The network it fits.
    pub network: &'static str,
    /// Name to keep it under.
    pub file: &'static str,
    /// Where it is.
    pub source: Source,
    /// SHA-256 in hexadecimal: 64 digits, or the first of them.
    pub sha256: &'static str,
}

/// Where a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// PyTorch's own server, under the file's name.
    PyTorch,
    /// A file of a model at Hugging Face.
    Hub {
        /// `owner/name`.
        model: &'static str,
        /// Commit or branch.
        revision: &'static str,
        /// Name of the file there.
        file: &'static str,
    },
}

/// Folder of torchvision's weights on PyTorch's server.
pub const PYTORCH: &str = "https://download.pytorch.org/models";

const fn torchvision(network: &'static str, file: &'static str, sha256: &'static str) -> Published {
    Published { network, file, source: Source::PyTorch, sha256 }
}

/// Every published file, the preferred one of a network first. All but CLIP's are torchvision's weights
/// (`IMAGENET1K_V1`); timm's listed here are the same numbers under other names. OpenAI's CLIP holds both towers.
pub const PUBLISHED: &[Published] = &[
    torchvision(
        "alexnet",
        "alexnet-owt-7be5be79.pth",
        "7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02",
    ),
    torchvision("vgg11", "vgg11-8a719046.pth", "8a719046"),
    torchvision("vgg13", "vgg13-19584684.pth", "19584684"),
    torchvision(
        "vgg16",
        "vgg16-397923af.pth",
        "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
    ),
    Published {
        network: "vgg16",
        file: "vgg16-timm-tv_in1k.safetensors",
        source: Source::Hub {
            model: "timm/vgg16.tv_in1k",
            revision: "b8d8aa2dd860af9233c8c67385a8097fd6c35d3f",
            file: "model.safetensors",
        },
        sha256: "57b026918159a6bf9faf8405c3a551903768e7138989d9c6224a14227203fad8",
    },
    torchvision("vgg19", "vgg19-dcbb9e9d.pth", "dcbb9e9d"),
    Published {
        network: "inception_v3",
        file: "inception_v3-timm-tv_in1k.safetensors",
        source: Source::Hub {
            model: "timm/inception_v3.tv_in1k",
            revision: "main",
            file: "model.safetensors",
        },
        sha256: "9c452c63a67fd03a38a78c401ba12d4be0e926df63c93403de3a29f6df20fefb",
    },
    torchvision("inception_v3", "inception_v3_google-0cc3c7bd.pth", "0cc3c7bd"),
    torchvision(
        "resnet18",
        "resnet18-f37072fd.pth",
        "f37072fd47e89c5e827621c5baffa7500819f7896bbacec160b1a16c560e07ec",
    ),
    torchvision(
        "resnet34",
        "resnet34-b627a593.pth",
        "b627a593bcbe140c234610266fe4f8ae95ea42fc881d091c9b6052e6b1d0590f",
    ),
    torchvision(
        "resnet50",
        "resnet50-0676ba61.pth",
        "0676ba61b6795bbe1773cffd859882e5e297624d384b6993f7c9e683e722fb8a",
    ),
    torchvision(
        "resnet101",
        "resnet101-63fe2227.pth",
        "63fe2227b86e8f1f2063f43a75c84d195911b6a0eace650907dd3dc62dd49a0a",
    ),
    torchvision(
        "resnet152",
        "resnet152-394f9c45.pth",
        "394f9c45966e3651a89bbb78a48410a6755854ce4a5ab64927cf1c7247f85e58",
    ),
    torchvision("resnext50_32x4d", "resnext50_32x4d-7cdf4587.pth", "7cdf4587"),
    torchvision("resnext101_32x8d", "resnext101_32x8d-8ba56ff5.pth", "8ba56ff5"),
    torchvision("wide_resnet50_2", "wide_resnet50_2-95faca4d.pth", "95faca4d"),
    torchvision("wide_resnet101_2", "wide_resnet101_2-32ee1156.pth", "32ee1156"),
    torchvision("densenet121", "densenet121-a639ec97.pth", "a639ec97"),
    torchvision("densenet169", "densenet169-b2777c0a.pth", "b2777c0a"),
    torchvision("densenet201", "densenet201-c1103571.pth", "c1103571"),
    torchvision("efficientnet_b0", "efficientnet_b0_rwightman-7f5810bc.pth", "7f5810bc"),
    torchvision("efficientnet_b1", "efficientnet_b1_rwightman-bac287d4.pth", "bac287d4"),
    torchvision("efficientnet_b2", "efficientnet_b2_rwightman-c35c1473.pth", "c35c1473"),
    torchvision("efficientnet_b3", "efficientnet_b3_rwightman-b3899882.pth", "b3899882"),
    torchvision("efficientnet_b4", "efficientnet_b4_rwightman-23ab8bcd.pth", "23ab8bcd"),
    torchvision("efficientnet_b5", "efficientnet_b5_lukemelas-1a07897c.pth", "1a07897c"),
    torchvision("efficientnet_b6", "efficientnet_b6_lukemelas-24a108a5.pth", "24a108a5"),
    torchvision("efficientnet_b7", "efficientnet_b7_lukemelas-c5b4e57e.pth", "c5b4e57e"),
    torchvision("mobilenet_v3_small", "mobilenet_v3_small-047dcff4.pth", "047dcff4"),
    torchvision("mobilenet_v3_large", "mobilenet_v3_large-8738ca79.pth", "8738ca79"),
    torchvision("convnext_tiny", "convnext_tiny-983f1562.pth", "983f1562"),
    torchvision("convnext_small", "convnext_small-0c510722.pth", "0c510722"),
    torchvision("convnext_base", "convnext_base-6075fbad.pth", "6075fbad"),
    Published {
        network: "clip_vit_base_patch32",
        file: "clip-vit-base-patch32.bin",
        source: Source::Hub {
            model: "openai/clip-vit-base-patch32",
            revision: "3d74acf9a28c67741b2f4f2ea7635f0aaf6f0268",
            file: "pytorch_model.bin",
        },
        sha256: "a63082132ba4f97a80bea76823f544493bffa8082296d62d71581a4feff1576f",
    },
];

impl Published {
    /// Where a person can download it.
    pub fn address(&self) -> String {
        match self.source {
            Source::PyTorch => format!("{PYTORCH}/{}", self.file),
            Source::Hub { model, revision, file } => {
                format!("https://huggingface.co/{model}/resolve/{revision}/{file}")
            }
        }
    }

    /// Whether the whole digest is known.
    pub fn is_digest_whole(&self) -> bool {
        self.sha256.len() == 64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_digests_and_agree_with_torchvisions_names() {
        for published in PUBLISHED {
            let Published { file, sha256, source, .. } = published;
            assert!(matches!(sha256.len(), 8 | 64), "{file}");
            assert!(sha256.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')), "{file}");
            if *source == Source::PyTorch {
                let stem = file.strip_suffix(".pth").unwrap();
                assert!(sha256.starts_with(stem.rsplit_once('-').unwrap().1), "{file}");
            }
            assert!(published.address().starts_with("https://"));
            let count = PUBLISHED.iter().filter(|other| other.file == *file).count();
            assert_eq!(count, 1, "{file}");
        }
        for network in ["alexnet", "vgg16", "inception_v3", "resnet152"] {
            let first = PUBLISHED.iter().find(|p| p.network == network).unwrap();
            assert!(first.is_digest_whole(), "{network}");
        }
    }
}
