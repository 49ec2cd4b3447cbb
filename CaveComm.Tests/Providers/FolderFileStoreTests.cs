using System.Security.Cryptography;
using CaveComm.Domain.Delivery;
using CaveComm.Providers;
using CaveComm.Providers.Files;
using Shouldly;

namespace CaveComm.Tests.Providers;

public sealed class FolderFileStoreTests : IDisposable
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    private readonly string root = Directory.CreateTempSubdirectory("cavecomm-files-").FullName;

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(131_072)]
    [InlineData(1_000_003)]
    public async Task What_is_saved_is_read_back_with_its_size_and_hash(int size)
    {
        var bytes = RandomNumberGenerator.GetBytes(size);
        var id = Guid.CreateVersion7();
        var store = Store();

        var stored = await store.Save(id, new MemoryStream(bytes), limit: size, Cancel);

        stored.ShouldBe(new StoredContent(size, Convert.ToHexStringLower(SHA256.HashData(bytes))));
        await using var content = await store.OpenRead(id, Cancel);
        content.CanSeek.ShouldBeTrue();
        var read = new MemoryStream();
        await content.CopyToAsync(read, Cancel);
        read.ToArray().ShouldBe(bytes);
    }

    [Fact]
    public async Task A_part_of_a_file_can_be_read()
    {
        var id = Guid.NewGuid();
        await Store().Save(id, new MemoryStream([.. Enumerable.Range(0, 200).Select(number => (byte)number)]), 1000, Cancel);

        await using var content = await Store().OpenRead(id, Cancel);
        content.Seek(150, SeekOrigin.Begin);

        content.ReadByte().ShouldBe(150);
    }

    [Fact]
    public async Task Too_much_is_refused_and_nothing_is_kept()
    {
        var id = Guid.NewGuid();
        var store = Store();

        await Should.ThrowAsync<FileTooLargeException>(() => store.Save(id, new MemoryStream(new byte[300_000]), limit: 299_999, Cancel));

        Files().ShouldBeEmpty();
        await Should.ThrowAsync<FileNotFoundException>(() => store.OpenRead(id, Cancel));
    }

    [Fact]
    public async Task An_upload_that_breaks_off_leaves_nothing_visible()
    {
        var store = Store();

        await Should.ThrowAsync<IOException>(() => store.Save(Guid.NewGuid(), new BrokenStream(200_000), limit: 1_000_000, Cancel));

        Files().ShouldBeEmpty();
    }

    [Fact]
    public async Task Nothing_is_visible_before_it_is_whole()
    {
        var id = Guid.NewGuid();
        var store = Store();
        var upload = new WaitingStream();
        var saving = store.Save(id, upload, limit: 1_000, Cancel);

        await upload.Asked;
        await Should.ThrowAsync<FileNotFoundException>(() => store.OpenRead(id, Cancel));
        Store(); // Another node starts, and must not take the upload for a leftover.
        upload.End();
        await saving;

        (await store.OpenRead(id, Cancel)).Dispose();
    }

    [Fact]
    public void What_a_dead_process_left_half_written_is_removed_at_the_start()
    {
        Directory.CreateDirectory(Path.Combine(root, "incoming"));
        File.WriteAllText(Path.Combine(root, "incoming", "half"), "half a file");

        Store();

        Files().ShouldBeEmpty();
    }

    [Fact]
    public async Task Saving_again_replaces_and_deleting_again_is_harmless()
    {
        var id = Guid.NewGuid();
        var store = Store();
        await store.Save(id, new MemoryStream([1]), 10, Cancel);
        await store.Save(id, new MemoryStream([2]), 10, Cancel);
        await using (var content = await store.OpenRead(id, Cancel))
        {
            content.ReadByte().ShouldBe(2);
        }

        await store.Delete(id, Cancel);
        await store.Delete(id, Cancel);
        await store.Delete(Guid.NewGuid(), Cancel);

        Files().ShouldBeEmpty();
    }

    [Fact]
    public async Task A_large_file_passes_in_small_pieces()
    {
        var upload = new EndlessStream(64_000_000);

        await Store().Save(Guid.NewGuid(), upload, long.MaxValue, Cancel);

        upload.LargestPiece.ShouldBe(128 * 1024);
    }

    private FolderFileStore Store() => new(new StorageOptions(root));

    private string[] Files() => Directory.GetFiles(root, "*", SearchOption.AllDirectories);

    private sealed class BrokenStream(int before) : MemoryStream(new byte[before])
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            await base.ReadAsync(buffer, cancellationToken) is > 0 and var read ? read : throw new IOException("The line broke.");
    }

    private sealed class WaitingStream : MemoryStream
    {
        private readonly TaskCompletionSource asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource end = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Asked => asked.Task;

        public void End() => end.SetResult();

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            asked.TrySetResult();
            await end.Task;
            return 0;
        }
    }

    private sealed class EndlessStream(long length) : MemoryStream
    {
        private long left = length;

        public int LargestPiece { get; private set; }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var read = (int)Math.Min(left, buffer.Length);
            left -= read;
            LargestPiece = Math.Max(LargestPiece, read);
            return ValueTask.FromResult(read);
        }
    }
}
