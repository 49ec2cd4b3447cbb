using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace CaveComm.Tests.Architecture;

/// <summary>What an assembly calls outside itself, from its metadata.</summary>
internal static class CalledMembers
{
    /// <returns>Names such as <c>System.Guid.NewGuid</c>.</returns>
    public static IReadOnlyList<string> Of(Assembly assembly)
    {
        using var file = new PEReader(File.OpenRead(assembly.Location));
        var metadata = file.GetMetadataReader();
        var called = new List<string>();
        foreach (var handle in metadata.MemberReferences)
        {
            var member = metadata.GetMemberReference(handle);
            if (NamedType(metadata, member.Parent) is { } known)
            {
                var type = metadata.GetTypeReference(known);
                called.Add($"{metadata.GetString(type.Namespace)}.{metadata.GetString(type.Name)}.{metadata.GetString(member.Name)}");
            }
        }

        return called;
    }

    /// <returns>The types outside that it names, each with the assembly that has it.</returns>
    public static IReadOnlyList<(string Assembly, string Name)> TypesOf(Assembly assembly)
    {
        using var file = new PEReader(File.OpenRead(assembly.Location));
        var metadata = file.GetMetadataReader();
        return
        [
            .. metadata.TypeReferences.Select(metadata.GetTypeReference)
                .Where(it => it.ResolutionScope.Kind == HandleKind.AssemblyReference)
                .Select(it => (metadata.GetString(metadata.GetAssemblyReference((AssemblyReferenceHandle)it.ResolutionScope).Name), metadata.GetString(it.Name))),
        ];
    }

    // A generic type stands behind a signature: that it is an instance, of a class or a structure, and of which.
    private static TypeReferenceHandle? NamedType(MetadataReader metadata, EntityHandle parent)
    {
        if (parent.Kind == HandleKind.TypeSpecification)
        {
            var signature = metadata.GetBlobReader(metadata.GetTypeSpecification((TypeSpecificationHandle)parent).Signature);
            if (signature.ReadSignatureTypeCode() != SignatureTypeCode.GenericTypeInstance)
            {
                return null;
            }

            signature.ReadCompressedInteger();
            parent = signature.ReadTypeHandle();
        }

        return parent.Kind == HandleKind.TypeReference ? (TypeReferenceHandle)parent : null;
    }
}
